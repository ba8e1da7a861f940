#include "apps/backtest/fold_results.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string_view>

#include "apps/model/report.h"
#include "apps/model/text_output.h"
#include "engine/base/error.h"

namespace quadgate::apps {
namespace {

using FoldJson = nlohmann::ordered_json;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

/// Tables of evaluate whose rows are too many for a terminal.
constexpr std::array<std::string_view, 6> kLongTables{"classes", "confusion", "entities",
                                                      "targets", "steps",     "series"};

/// Calls visit(names of keys, value or NaN) for each number of an object.
template <typename Visit>
void for_each_number(const FoldJson& object, std::vector<std::string>& names, Visit visit) {
  for (const auto& [key, value] : object.items()) {
    names.push_back(key);
    if (value.is_object()) {
      for_each_number(value, names, visit);
    } else if (value.is_number() || value.is_null()) {
      visit(names, value.is_null() ? kNone : value.template get<double>());
    }
    names.pop_back();
  }
}

void put(FoldJson& object, const std::vector<std::string>& names, double value) {
  FoldJson* place = &object;
  for (const std::string& name : names) place = &(*place)[name];
  if (std::isnan(value)) {
    *place = nullptr;
  } else {
    *place = value;
  }
}

ReportNumber number_or_none(double value) {
  return std::isnan(value) ? ReportNumber() : ReportNumber(value);
}

}  // namespace

std::string FoldResults::Row::text() const { return fmt::format("{}", fmt::join(name, ".")); }

double FoldResults::Row::mean() const {
  double sum = 0;
  std::int64_t count = 0;
  for (const double value : values) {
    if (std::isnan(value)) continue;
    sum += value;
    ++count;
  }
  return count > 0 ? sum / static_cast<double>(count) : kNone;
}

double FoldResults::Row::sd() const {
  const double middle = mean();
  double squares = 0;
  std::int64_t count = 0;
  for (const double value : values) {
    if (std::isnan(value)) continue;
    squares += (value - middle) * (value - middle);
    ++count;
  }
  return count > 1 ? std::sqrt(squares / static_cast<double>(count - 1)) : kNone;
}

FoldResults::FoldResults(const std::vector<std::filesystem::path>& files) {
  std::map<std::vector<std::string>, std::size_t> places;
  for (std::size_t fold = 0; fold < files.size(); ++fold) {
    std::ostringstream text;
    text << std::ifstream(files[fold]).rdbuf();
    const FoldJson object = FoldJson::parse(text.str(), nullptr, false);
    if (!object.is_object()) {
      throw FileError(
          fmt::format("{}: expected what evaluate --json tells, found '{}' (without "
                      "the file, the fold is evaluated again)",
                      files[fold].string(), text.str()));
    }
    objects_.push_back(object.dump());
    std::vector<std::string> names;
    for_each_number(object, names, [&](const std::vector<std::string>& name, double value) {
      const auto [place, is_new] = places.emplace(name, rows_.size());
      if (is_new) rows_.push_back({name, std::vector<double>(files.size(), kNone)});
      rows_[place->second].values[fold] = value;
    });
  }
}

std::string FoldResults::to_text() const {
  ReportTable table{.of = {"metric"}, .is_shown = true};
  for (std::size_t fold = 0; fold < objects_.size(); ++fold) {
    table.columns.push_back(fmt::format("fold-{}", fold));
  }
  table.columns.insert(table.columns.end(), {"mean", "sd"});
  for (const Row& row : rows_) {
    if (std::ranges::find(kLongTables, row.name.front()) != kLongTables.end()) continue;
    ReportTable::Row& line = table.rows.emplace_back();
    line.names = {row.text()};
    for (const double value : row.values) line.numbers.push_back(number_or_none(value));
    line.numbers.push_back(number_or_none(row.mean()));
    line.numbers.push_back(number_or_none(row.sd()));
  }
  Report report;
  report.tables.push_back(std::move(table));
  return apps::to_text(report).substr(1);  // without the blank line above a table
}

std::string FoldResults::to_csv() const {
  std::string text = "metric";
  for (std::size_t fold = 0; fold < objects_.size(); ++fold) text += fmt::format(",fold-{}", fold);
  text += ",mean,sd\n";
  for (const Row& row : rows_) {
    std::vector<double> values = row.values;
    values.insert(values.end(), {row.mean(), row.sd()});
    text += csv_field(row.text());
    for (const double value : values) {
      text += std::isnan(value) ? "," : fmt::format(",{}", value);
    }
    text += '\n';
  }
  return text;
}

std::string FoldResults::to_json() const {
  FoldJson all{
      {"folds", FoldJson::array()}, {"mean", FoldJson::object()}, {"sd", FoldJson::object()}};
  for (const std::string& object : objects_) all["folds"].push_back(FoldJson::parse(object));
  for (const Row& row : rows_) {
    put(all["mean"], row.name, row.mean());
    put(all["sd"], row.name, row.sd());
  }
  return all.dump();
}

}  // namespace quadgate::apps
