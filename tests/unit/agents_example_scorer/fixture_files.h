#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

/// The files of fixtures/: models, inputs, and what the libraries that trained them predict.
namespace scorer::testing {

/// Fails the test when there is no such file.
inline std::string ReadFixture(const std::string& name) {
  std::ifstream file(std::string(CARACAL_TEST_DATA "/") + name);
  EXPECT_TRUE(file.good()) << name;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// The numbers of a CSV file below its header, row by row. An empty field is NaN: missing.
struct Table {
  explicit Table(const std::string& name) {
    std::istringstream lines(ReadFixture(name));
    std::string line;
    std::getline(lines, line);
    while (std::getline(lines, line)) {
      std::istringstream fields(line + ',');
      std::string field;
      size_t count = 0;
      for (; std::getline(fields, field, ','); ++count) {
        values.push_back(field.empty() ? std::numeric_limits<double>::quiet_NaN()
                                       : std::stod(field));
      }
      columns = count;
      ++rows;
    }
  }

  double At(size_t row, size_t column) const { return values.at(row * columns + column); }

  size_t rows = 0;
  size_t columns = 0;
  std::vector<double> values;
};

/// `text` with its first `from` replaced. Fails the test when there is none.
inline std::string Edited(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  if (at != std::string::npos) text.replace(at, from.size(), to);
  return text;
}

}  // namespace scorer::testing
