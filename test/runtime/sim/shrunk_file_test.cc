//===- shrunk_file_test.cc - Files that are cut while they are read -------===//
#include "pipeline_program.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <filesystem>
#include <fstream>
#include <unistd.h>

namespace accel::rt {
namespace {

using namespace dsl;
using testing::HasSubstr;

class ShrunkFile : public testing::Test {
protected:
  ShrunkFile()
      : folder_(std::filesystem::temp_directory_path() /
                ("acc-shrunk-" + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder_);
  }
  ~ShrunkFile() override { std::filesystem::remove_all(folder_); }
  std::string Path(const std::string &name) const { return (folder_ / name).string(); }
  void Write(const std::string &name, const std::string &bytes) const {
    std::ofstream(Path(name), std::ios::binary) << bytes;
  }

private:
  std::filesystem::path folder_;
};

TEST_F(ShrunkFile, LostPagesReadAsZeros) {
  Write("f", std::string(5 * 4096 + 100, 'x'));
  auto file = FileBytes::Map(Path("f"));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_TRUE((*file)->Check().ok());
  ASSERT_EQ(truncate(Path("f").c_str(), 4096 + 10), 0);
  EXPECT_EQ((*file)->data()[0], 'x');
  EXPECT_EQ((*file)->data()[4096 * 2], 0); // was SIGBUS
  EXPECT_EQ((*file)->data()[5 * 4096 + 99], 0);
  EXPECT_THAT(std::string((*file)->Check().message()),
              HasSubstr("f: the file shrank from 20580 to 4106 bytes while it was read"));
}

/// The weights of a loaded program, in the artifact or beside it.
TEST_F(ShrunkFile, WeightsThatShrinkDuringARunAreOneError) {
  for (bool beside : {false, true}) {
    ProgramDsl p;
    const int64_t n = 40 * 4096;
    uint32_t w = p.Tensor("w", 0, n), y = p.Tensor("y", 2, n);
    if (beside) {
      const std::string bytes(size_t(n), 'w');
      Write("weights.bin", bytes);
      p.b.data.regions.push_back({0,
                                  RegionKind::Weights,
                                  n,
                                  {"weights.bin", 0, n, Checksum64(bytes.data(), bytes.size())}});
    } else {
      p.Region(0, RegionKind::Weights, n);
      p.Weights(0, std::vector<uint8_t>(size_t(n), 7));
    }
    p.Region(2, RegionKind::Workspace, n);
    p.Predict(w, Reason::CompulsoryLoad, false, n);
    p.Predict(y, Reason::SpillStore, true, n);
    RoutineDsl &r = p.Routine("copy");
    r.Sync(kSt, {}, {{2, 1}});
    r.Loop(1, 40, [&] {
      r.MulI(2, 1, 4096);
      r.Dma(kLd0, {4096}, Sram(0, I8, {1}), Dram(0, I8, {1}).Plus(2),
            {.waits = {{2, 1}}, .signals = {{1, 1}}, .reason = Reason::CompulsoryLoad});
      r.Dma(kSt, {4096}, Dram(2, I8, {1}).Plus(2), Sram(0, I8, {1}),
            {.waits = {{1, 1}}, .signals = {{2, 1}}, .reason = Reason::SpillStore});
    });
    r.Sync(kLd0, {{2, 1}}, {});
    p.main().Call(r);
    p.Finish();
    ASSERT_TRUE(p.b.Write(Path("p.acc")).ok());
    absl::StatusOr<Program> program = Program::Load(Path("p.acc"));
    ASSERT_TRUE(program.ok()) << program.status();
    Simulator sim(*program, {.threads = 2});
    absl::Status first = sim.Run();
    ASSERT_TRUE(first.ok()) << first;
    const std::string name = beside ? "weights.bin" : "p.acc";
    const auto size = std::filesystem::file_size(Path(name));
    std::filesystem::resize_file(Path(name), size - 30 * 4096);
    absl::Status s = sim.Run();
    EXPECT_EQ(s.code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(std::string(s.message()), HasSubstr(name + ": the file shrank from"));
  }
}

} // namespace
} // namespace accel::rt
