#include "pipeline/observe/descriptor_writer.h"

#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <thread>

#include "tests/unit/pipeline_observe/pipe.h"

namespace caracal::pipeline {
namespace {

TEST(DescriptorWriterTest, WritesLinesWithTheirNewline) {
  Pipe pipe;
  DescriptorWriter writer(pipe.write_end());
  EXPECT_TRUE(writer.WriteLine("one"));
  EXPECT_TRUE(writer.WriteLine(""));
  EXPECT_EQ(pipe.ReadRest(), "one\n\n");
}

TEST(DescriptorWriterTest, WritesALineLongerThanThePipeTakes) {
  Pipe pipe;
  DescriptorWriter writer(pipe.write_end());
  const std::string line(1 << 20, 'x');
  bool written = false;
  std::thread thread([&] { written = writer.WriteLine(line); });
  EXPECT_EQ(pipe.Read(line.size() + 1), line + "\n");
  thread.join();
  EXPECT_TRUE(written);
}

TEST(DescriptorWriterTest, WaitsForAReaderThatIsSlow) {
  Pipe pipe;
  const size_t filled = pipe.Fill();
  DescriptorWriter writer(pipe.write_end());
  bool written = false;
  std::thread thread([&] { written = writer.WriteLine("late"); });
  EXPECT_EQ(pipe.Read(filled).size(), filled);
  EXPECT_EQ(pipe.Read(5), "late\n");
  thread.join();
  EXPECT_TRUE(written);
}

TEST(DescriptorWriterTest, GivesUpOnceAbandoned) {
  Pipe pipe;
  pipe.Fill();
  DescriptorWriter writer(pipe.write_end());
  bool written = true;
  std::thread thread([&] { written = writer.WriteLine("never read"); });
  writer.Abandon();
  thread.join();
  EXPECT_FALSE(written);
}

TEST(DescriptorWriterTest, ReportsADescriptorThatFails) {
  ASSERT_NE(std::signal(SIGPIPE, SIG_IGN), SIG_ERR);
  Pipe pipe;
  pipe.CloseReadEnd();
  EXPECT_FALSE(DescriptorWriter(pipe.write_end()).WriteLine("nobody reads"));
  EXPECT_FALSE(DescriptorWriter(-1).WriteLine("no descriptor"));
}

}  // namespace
}  // namespace caracal::pipeline
