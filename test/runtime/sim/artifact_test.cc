//===- artifact_test.cc - Writing, reading, damage ------------------------===//
#include "../../../runtime/artifact/checksum.h"
#include "../../../runtime/artifact/prefix.h"
#include "acc/runtime/simulator.h"
#include "program_dsl.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <csignal>
#include <cstdlib>
#include <dirent.h>
#include <fstream>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace accel::rt {
namespace {

using testing::HasSubstr;

class Folder {
public:
  Folder() {
    std::string name = testing::TempDir() + "acc-artifact-XXXXXX";
    path_ = mkdtemp(name.data());
  }
  ~Folder() {
    for (const std::string &f : Files())
      unlink((path_ + "/" + f).c_str());
    rmdir(path_.c_str());
  }
  std::string operator/(const std::string &name) const { return path_ + "/" + name; }
  std::vector<std::string> Files() const {
    std::vector<std::string> names;
    DIR *d = opendir(path_.c_str());
    while (dirent *e = readdir(d))
      if (e->d_name[0] != '.' || std::string(e->d_name).size() > 2)
        names.push_back(e->d_name);
    closedir(d);
    return names;
  }

private:
  std::string path_;
};

std::string Read(const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

absl::Span<const uint8_t> Span(const std::string &s) {
  return {reinterpret_cast<const uint8_t *>(s.data()), s.size()};
}

/// Main is one HALT; two weight regions.
ArtifactBuilder Example() {
  ArtifactBuilder b;
  b.data.producer = "test";
  b.data.target = {"edge", "digest", 1 << 20, 1 << 16, 1 << 16, 8, 64, {{"dram.latency", 200}}};
  b.data.routines.resize(1);
  b.data.routines[0].name = "main";
  b.data.routines[0].code.resize(16);
  b.data.routines[0].code[0] = 1;
  b.data.routines[0].nodeOfPc = {0};
  b.data.nodes = {{"conv", "Conv", 17}};
  b.data.regions = {{0, RegionKind::Weights, 300, {}}, {1, RegionKind::Input, 24, {}}};
  b.data.inputs = {{"x", 1, {2, 3}, 1, 0, 24}};
  TensorInfo w;
  w.name = "w";
  w.bytes = 300;
  b.data.tensors = {w};
  b.data.compulsoryBytes = 324;
  auto fill = [](uint8_t v, size_t n) {
    return [=](WeightSink &s) { return s.Append(std::string(n, char(v)).data(), n); };
  };
  b.AddWeights(0, 100, 200, fill(2, 200)); // in any order
  b.AddWeights(0, 0, 50, fill(1, 50));
  return b;
}

TEST(Artifact, RoundTrip) {
  Folder folder;
  ArtifactBuilder b = Example();
  ASSERT_TRUE(b.Write(folder / "m.acc").ok());
  absl::StatusOr<Artifact> a = OpenArtifact(folder / "m.acc");
  ASSERT_TRUE(a.ok()) << a.status();
  EXPECT_EQ(a->data.target.name, "edge");
  EXPECT_EQ(a->data.target.figures[0].value, 200);
  EXPECT_EQ(a->data.inputs[0].dims, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(a->data.nodes[0].macs, 17);
  EXPECT_EQ(a->data.compulsoryBytes, 324);
  ASSERT_EQ(a->data.chunks.size(), 2u);
  // The region lies in the file as in memory: gaps are zeros.
  int64_t base = a->data.chunks[0].segmentOffset;
  EXPECT_EQ(base % 4096, 0);
  EXPECT_EQ(a->data.chunks[1].segmentOffset, base + 100);
  EXPECT_EQ(a->file->data()[base + 49], 1);
  EXPECT_EQ(a->file->data()[base + 50], 0);
  EXPECT_EQ(a->file->data()[base + 299], 2);
  EXPECT_TRUE(Program::Load(folder / "m.acc").ok());
}

TEST(Artifact, SameContentSameBytes) {
  Folder folder;
  ArtifactBuilder b = Example(), c = Example();
  ASSERT_TRUE(b.Write(folder / "a.acc").ok());
  ASSERT_TRUE(c.Write(folder / "b.acc").ok());
  EXPECT_EQ(Read(folder / "a.acc"), Read(folder / "b.acc"));
  EXPECT_EQ(Read(folder / "a.acc"), *Example().Serialize());
}

TEST(Artifact, ReplacesAtOnceAndLeavesNothingBehind) {
  Folder folder;
  ASSERT_TRUE(Example().Write(folder / "m.acc").ok());
  std::string old = Read(folder / "m.acc");
  ASSERT_TRUE(Example().Write(folder / "m.acc").ok()); // over an older file
  ArtifactBuilder failing = Example();
  failing.AddWeights(0, 60, 10, [](WeightSink &) { return absl::DataLossError("no bytes"); });
  EXPECT_EQ(failing.Write(folder / "m.acc").message(), "no bytes");
  ArtifactBuilder shortSource = Example();
  shortSource.AddWeights(0, 60, 10, [](WeightSink &s) { return s.Append("abc", 3); });
  EXPECT_THAT(std::string(shortSource.Write(folder / "m.acc").message()),
              HasSubstr("gives 3 of 10 bytes"));
  EXPECT_EQ(Read(folder / "m.acc"), old);
  EXPECT_EQ(folder.Files().size(), 1u);
}

TEST(Artifact, DiskFull) {
  // A limit on the size of files stands in for a full disk.
  Folder folder;
  rlimit before;
  getrlimit(RLIMIT_FSIZE, &before);
  rlimit small = {4096, before.rlim_max};
  signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  absl::Status s = Example().Write(folder / "m.acc");
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(s.code(), absl::StatusCode::kResourceExhausted) << s;
  EXPECT_THAT(std::string(s.message()), HasSubstr("m.acc: cannot write the file"));
  EXPECT_TRUE(folder.Files().empty());
  EXPECT_EQ(Example().Write("/dev/full").code(), absl::StatusCode::kResourceExhausted);
  EXPECT_FALSE(Example().Write(folder / "absent/m.acc").ok());
  EXPECT_FALSE(Example().Write(testing::TempDir()).ok());
}

TEST(Artifact, WeightsStayInAnotherFile) {
  Folder folder;
  std::ofstream(folder / "model.onnx", std::ios::binary) << std::string(500, 'w');
  ArtifactBuilder b = Example();
  b.AddExternalWeights(0, 60, 40, "model.onnx", 33);
  ASSERT_TRUE(b.Write(folder / "m.acc").ok());
  absl::StatusOr<Program> p = Program::Load(folder / "m.acc");
  ASSERT_TRUE(p.ok()) << p.status();
  std::vector<uint8_t> x(24);
  {
    Simulator sim(*p, {});
    ASSERT_TRUE(sim.SetInput("x", x).ok());
    EXPECT_TRUE(sim.Run().ok());
  }
  auto error = [&] {
    Simulator sim(*p, {});
    return std::string(sim.SetInput("x", x).message());
  };
  std::ofstream(folder / "model.onnx", std::ios::binary) << std::string(500, 'x');
  EXPECT_THAT(error(), HasSubstr("are not those that the artifact was compiled with"));
  std::ofstream(folder / "model.onnx", std::ios::binary) << std::string(50, 'w');
  EXPECT_THAT(error(), HasSubstr("the file has 50"));
  unlink((folder / "model.onnx").c_str());
  EXPECT_THAT(error(), HasSubstr("cannot open"));
  EXPECT_FALSE(b.Write(folder / "n.acc").ok());
}

/// Three ways that a region gets its bytes; each is copied to the output.
TEST(Artifact, RegionsGetTheirBytes) {
  Folder folder;
  std::string file(9000, 0);
  for (size_t i = 0; i < file.size(); ++i)
    file[i] = char(i * 31 >> 3);
  std::ofstream(folder / "model.onnx", std::ios::binary) << file;
  for (int way = 0; way < 3; ++way) {
    using namespace dsl;
    ProgramDsl p;
    uint32_t y = p.Io("y", 2, RegionKind::Output, KType::U8, {300});
    p.Region(0, RegionKind::Weights, 300);
    std::string want = way == 0 ? file.substr(4097, 300) : std::string(300, 0);
    if (way == 0) { // the region is a part of the file, at any offset
      p.b.data.regions.back().external = {"model.onnx", 4097, 300, 0};
    } else {
      want.replace(10, 90, 90, 'a');
      p.b.AddWeights(0, 10, 90, [](WeightSink &s) {
        std::string a(90, 'a'); // in pieces
        absl::Status first = s.Append(a.data(), 40);
        return first.ok() ? s.Append(a.data(), 50) : first;
      });
      if (way == 2) { // assembled from both
        want.replace(200, 55, file, 77, 55);
        p.b.AddExternalWeights(0, 200, 55, "model.onnx", 77);
      }
    }
    uint32_t w = p.Tensor("w", 0, 300);
    RoutineDsl &r = p.Routine("copy");
    r.Dma(kLd0, {300}, Sram(0, KType::U8, {1}), Dram(0, KType::U8, {1}),
          {.signals = {{1, 1}}, .reason = Reason::CompulsoryLoad});
    r.Dma(kSt, {300}, Dram(2, KType::U8, {1}), Sram(0, KType::U8, {1}),
          {.waits = {{1, 1}}, .reason = Reason::CompulsoryStore});
    p.main().Call(r);
    p.Predict(w, Reason::CompulsoryLoad, false, 300);
    p.Predict(y, Reason::CompulsoryStore, true, 300);
    p.Finish();
    ASSERT_TRUE(p.b.Write(folder / "m.acc").ok());
    absl::StatusOr<Program> program = Program::Load(folder / "m.acc");
    ASSERT_TRUE(program.ok()) << program.status();
    Simulator sim(*program, {.sanitize = true});
    absl::Status s = sim.Run();
    ASSERT_TRUE(s.ok()) << s;
    EXPECT_EQ(std::string(reinterpret_cast<const char *>(sim.Output("y")->data()), 300), want);
  }
}

TEST(Artifact, EveryTruncationIsRefused) {
  std::string good = *Example().Serialize();
  for (size_t n = 0; n < good.size(); n += n < 256 ? 1 : 97) {
    absl::StatusOr<Program> p = Program::FromBytes(Span(good).subspan(0, n));
    ASSERT_FALSE(p.ok()) << n;
    EXPECT_THAT(std::string(p.status().message()), HasSubstr("not a valid artifact"));
  }
  EXPECT_FALSE(Program::FromBytes(Span(good + "x")).ok());
}

TEST(Artifact, EveryFlippedBitIsFoundOrHarmless) {
  std::string good = *Example().Serialize();
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = char(bad[i] ^ (1 << (i % 8)));
    if (Program::FromBytes(Span(bad)).ok()) // padding between segments
      EXPECT_EQ(good[i], 0) << i;
  }
}

/// A damaged header with a right checksum reaches the table checks.
TEST(Artifact, DamagedTablesWithValidChecksum) {
  std::string good = *Example().Serialize();
  Prefix prefix;
  memcpy(&prefix, good.data(), sizeof(prefix));
  for (size_t i = 0; i < prefix.headerBytes; ++i)
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = good;
      bad[prefix.headerOffset + i] = char(bad[prefix.headerOffset + i] ^ (1 << bit));
      Prefix p = prefix;
      p.headerCrc = Crc32(bad.data() + prefix.headerOffset, prefix.headerBytes);
      memcpy(bad.data(), &p, sizeof(p));
      (void)Program::FromBytes(Span(bad)); // must not crash or hang
    }
}

TEST(Artifact, FilesThatAreNoArtifacts) {
  Folder folder;
  auto error = [&](const std::string &content) {
    std::ofstream(folder / "f", std::ios::binary) << content;
    return std::string(OpenArtifact(folder / "f").status().message());
  };
  EXPECT_THAT(error(""), HasSubstr("has 0 bytes"));
  EXPECT_THAT(error("hello"), HasSubstr("has 5 bytes"));
  EXPECT_THAT(error(std::string(1000, 'A')), HasSubstr("does not start with ACCARTF1"));
  EXPECT_THAT(std::string(OpenArtifact(folder / "no").status().message()),
              HasSubstr("cannot open"));
  EXPECT_THAT(std::string(OpenArtifact(testing::TempDir()).status().message()),
              HasSubstr("not a regular file"));
}

TEST(Artifact, TablesThatContradictEachOther) {
  auto error = [](const std::function<void(ArtifactData &)> &damage) {
    ArtifactBuilder b = Example();
    damage(b.data);
    absl::StatusOr<Program> p = Program::FromBytes(Span(*b.Serialize()));
    return std::string(p.status().message());
  };
  EXPECT_THAT(error([](ArtifactData &d) { d.inputs[0].bytes = 20; }),
              HasSubstr("input \"x\" has 20 bytes, its shape needs 24"));
  EXPECT_THAT(error([](ArtifactData &d) { d.inputs[0].region = 9; }),
              HasSubstr("lies in region 9, which is not there"));
  EXPECT_THAT(error([](ArtifactData &d) { d.tensors[0].bytes = 301; }),
              HasSubstr("lies outside of region 0 (300 bytes)"));
  EXPECT_THAT(error([](ArtifactData &d) { d.inputs[0].dims = {1 << 30, 1 << 30}; }),
              HasSubstr("has dimension"));
  EXPECT_THAT(error([](ArtifactData &d) { d.regions.push_back(d.regions[0]); }),
              HasSubstr("region 0 is declared twice"));
  EXPECT_THAT(error([](ArtifactData &d) { d.target.sramBytes = -1; }),
              HasSubstr("target figure sram_bytes is -1"));
  EXPECT_THAT(error([](ArtifactData &d) { d.routines[0].code[0] = 0x19; }),
              HasSubstr("unknown opcode 25"));
  EXPECT_THAT(error([](ArtifactData &d) { d.routines[0].code[5] = 1; }),
              HasSubstr("main pc 0: HALT: CtrlWord.imm is not used and must be 0: 256"));
  EXPECT_THAT(error([](ArtifactData &d) { d.isaVersion = 2; }),
              HasSubstr("made for ISA version 2"));
  EXPECT_THAT(
      error([](ArtifactData &d) { d.predictions.push_back({5, Reason::Reload, false, {}}); }),
      HasSubstr("prediction for tensor 5"));
}

TEST(Checksum, DoesNotDependOnCuts) {
  std::string data(1000, 0);
  for (size_t i = 0; i < data.size(); ++i)
    data[i] = char(i * 7);
  uint64_t whole = Checksum64(data.data(), data.size());
  for (size_t cut = 1; cut < 100; ++cut) {
    ChecksumStream s;
    for (size_t at = 0; at < data.size(); at += cut)
      s.Append(data.data() + at, std::min(cut, data.size() - at));
    EXPECT_EQ(s.Finish(), whole);
  }
  EXPECT_NE(Checksum64(data.data(), 999), whole);
  EXPECT_EQ(Crc32("123456789", 9), 0xCBF43926u); // the CRC catalogue's check value
}

} // namespace
} // namespace accel::rt
