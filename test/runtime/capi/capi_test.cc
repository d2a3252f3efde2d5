//===- capi_test.cc - The C interface -------------------------------------===//
#include "acc/runtime/acc.h"
#include "pipeline_program.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <fstream>
#include <unistd.h>

namespace accel::rt {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string Text(acc_status *s) {
  std::string text = acc_status_message(s);
  acc_status_free(s);
  return text;
}

std::string Folder() {
  char path[4096];
  ssize_t n = readlink("/proc/self/exe", path, sizeof(path));
  std::string self(path, size_t(n));
  return self.substr(0, self.rfind('/'));
}

std::string Output(const std::string &command) {
  std::string text;
  FILE *f = popen(command.c_str(), "r");
  char buffer[4096];
  while (size_t n = fread(buffer, 1, sizeof(buffer), f))
    text.append(buffer, n);
  pclose(f);
  return text;
}

TEST(CApi, ProgramInC) {
  std::string path = testing::TempDir() + "capi-" + std::to_string(getpid()) + ".acc";
  std::ofstream(path, std::ios::binary) << dsl::PipelineProgram().Bytes();
  float want = 0; // relu of the sum of column 1 of w
  for (int k = 0; k < 32; ++k)
    want += float((k * 16 + 1) % 7 - 3) * 0.25f;
  char y[64];
  snprintf(y, sizeof(y), "y[1] = %g\n", double(std::max(want, 0.0f)));
  std::string out = Output(Folder() + "/programs/acc_rt_capi_c_program " + path);
  EXPECT_THAT(out, AllOf(HasSubstr("x 1 2 8192\n"), HasSubstr("cancelled 1\n"), HasSubstr(y),
                         HasSubstr("\"compulsory_bytes\""),
                         HasSubstr("error 3: output \"y\" has 4096 bytes, the buffer 3")));
  unlink(path.c_str());
}

/// An input whose rows a run decides, returned as it is.
TEST(CApi, ShapesThatARunDecides) {
  dsl::ProgramDsl p;
  uint32_t x = p.Io("x", 1, RegionKind::Input, dsl::F32, {8, 2});
  uint32_t y = p.Io("y", 2, RegionKind::Output, dsl::F32, {8, 2});
  p.b.data.inputs[0].ranges = p.b.data.outputs[0].ranges = {{1, 10, "rows"}, {2, 0, ""}};
  p.main().Dma(kLd0, {8, 2}, dsl::Sram(0, dsl::F32, {8, 4}), dsl::Dram(1, dsl::F32, {8, 4}),
               {.signals = {{1, 1}}, .reason = Reason::CompulsoryLoad, .sizeRegs = {10, 0}});
  p.main().Dma(kSt, {8, 2}, dsl::Dram(2, dsl::F32, {8, 4}), dsl::Sram(0, dsl::F32, {8, 4}),
               {.waits = {{1, 1}}, .reason = Reason::CompulsoryStore, .sizeRegs = {10, 0}});
  p.b.data.counters = {{CounterKind::InputDim, 0, 0}};
  p.b.data.predictions = {{x, Reason::CompulsoryLoad, false, {{8, {0}}}},
                          {y, Reason::CompulsoryStore, true, {{8, {0}}}}};
  std::string bytes = p.Bytes();
  acc_program *program = nullptr;
  ASSERT_EQ(Text(acc_program_load_memory(bytes.data(), bytes.size(), "", &program)), "");
  acc_session *session = nullptr;
  ASSERT_EQ(Text(acc_session_create(program, nullptr, &session)), "");
  const float in[] = {1, 2, 3, 4, 5, 6};
  const int64_t three[] = {3, 2}, nine[] = {9, 2};
  EXPECT_THAT(Text(acc_session_set_input(session, "x", in, sizeof(in))),
              HasSubstr("its shape must be given"));
  EXPECT_THAT(Text(acc_session_set_input_shaped(session, "x", in, sizeof(in), nine, 2)),
              HasSubstr("dimension 0 (rows) is 9, the artifact was compiled for 1 to 8"));
  ASSERT_EQ(Text(acc_session_set_input_shaped(session, "x", in, sizeof(in), three, 2)), "");
  ASSERT_EQ(Text(acc_session_run(session)), "");
  int64_t dims[2] = {};
  ASSERT_EQ(Text(acc_session_get_output_dims(session, "y", dims, 2)), "");
  EXPECT_EQ(dims[0], 3);
  EXPECT_THAT(Text(acc_session_get_output_dims(session, "y", dims, 1)),
              HasSubstr("has 2 dimensions, not 1"));
  float out[6] = {};
  ASSERT_EQ(Text(acc_session_get_output(session, "y", out, sizeof(out))), "");
  EXPECT_EQ(0, std::memcmp(in, out, sizeof(in)));
  acc_session_free(session);
  acc_program_free(program);
}

TEST(CApi, SharedLibraryExportsOnlyItsInterface) {
  std::string names = Output("nm -D --defined-only " + Folder() + "/../../lib/libacc.so");
  std::istringstream lines(names);
  int count = 0;
  for (std::string address, kind, name; lines >> address >> kind >> name; ++count)
    EXPECT_THAT(name, testing::AnyOf(testing::StartsWith("acc_"), testing::StartsWith("ACC_")));
  EXPECT_GE(count, 18);
}

TEST(CApi, WrongArguments) {
  acc_program *p = nullptr;
  EXPECT_THAT(Text(acc_program_load(nullptr, &p)), HasSubstr("path is NULL"));
  EXPECT_THAT(Text(acc_program_load("/no/such/file", &p)), HasSubstr("cannot open"));
  EXPECT_THAT(Text(acc_program_load_memory("x", 1, nullptr, &p)),
              HasSubstr("not a valid artifact"));
  std::string bytes = dsl::PipelineProgram().Bytes();
  ASSERT_EQ(acc_program_load_memory(bytes.data(), bytes.size(), nullptr, &p), nullptr);
  acc_session *s = nullptr;
  acc_options o = {};
  EXPECT_THAT(Text(acc_session_create(p, &o, &s)), HasSubstr("struct_size"));
  o.struct_size = sizeof(o);
  o.threads = -1;
  EXPECT_THAT(Text(acc_session_create(p, &o, &s)), HasSubstr("threads is -1"));
  ASSERT_EQ(acc_session_create(p, nullptr, &s), nullptr);
  EXPECT_THAT(Text(acc_session_set_input(s, "q", "", 0)), HasSubstr("no input \"q\""));
  EXPECT_THAT(Text(acc_session_run(s)), HasSubstr("was not given"));
  EXPECT_THAT(Text(acc_session_run(nullptr)), HasSubstr("session is NULL"));
  EXPECT_EQ(acc_program_input(p, 7, nullptr), 0);
  acc_session_free(s);
  acc_program_free(p);
}

} // namespace
} // namespace accel::rt
