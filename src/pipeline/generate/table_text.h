#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/generate/generator_options.h"
#include "pipeline/generate/payment.h"

namespace caracal::pipeline {

/// The columns of the profile's table, in order.
std::span<const std::string_view> TableColumns(LoadProfile profile);

/// "schema.table" or "table" as a quoted SQL identifier.
std::string QuotedTable(std::string_view table);

/// The statements that create the profile's table, unless it exists, ready for change data capture
/// keyed by account (REPLICA IDENTITY FULL). `quoted_table` as QuotedTable makes it.
std::string CreateTableSql(LoadProfile profile, std::string_view quoted_table);

/// The values of `row` as PostgreSQL reads them, in column order; replaces `values`.
void RowValues(LoadProfile profile, std::string_view currency, const Payment& row,
               std::vector<std::string>& values);

/// Appends `text` as COPY's text format wants it: backslash, tab, line feed and carriage return
/// are escaped.
void AppendCopyEscaped(std::string_view text, std::string& out);

/// Appends one COPY line of `values`.
void AppendCopyLine(std::span<const std::string> values, std::string& out);

}  // namespace caracal::pipeline
