#include "io/importers/csv_record.h"

#include <csv.h>

#include <cstddef>
#include <new>

#include "io/importers/text.h"

namespace quadgate {
namespace {

// What libcsv's memory for a field grows by: 128 bytes unless told, each time with a copy.
constexpr std::size_t kBlock = std::size_t{1} << 20;

}  // namespace

struct CsvRecord::Parser {
  csv_parser csv{};
  std::string text;               // of all fields of the record
  std::vector<std::size_t> ends;  // of each field in it
  bool complete = false;

  static void add_field(void* field, std::size_t size, void* self) {
    auto& parser = *static_cast<Parser*>(self);
    parser.text.append(static_cast<const char*>(field), size);
    parser.ends.push_back(parser.text.size());
  }
  static void end_record(int, void* self) { static_cast<Parser*>(self)->complete = true; }

  void parse(std::string_view part) {
    if (csv_parse(&csv, part.data(), part.size(), add_field, end_record, this) != part.size()) {
      throw std::bad_alloc();  // the one error there is without the option CSV_STRICT
    }
  }
};

CsvRecord::CsvRecord(char delimiter) : parser_(std::make_unique<Parser>()) {
  csv_init(&parser_->csv, 0);
  csv_set_delim(&parser_->csv, static_cast<unsigned char>(delimiter));
  csv_set_blk_size(&parser_->csv, kBlock);
}

CsvRecord::~CsvRecord() { csv_free(&parser_->csv); }

bool CsvRecord::add_line(std::string_view line) {
  if (!open_ && trim(line).empty()) return false;
  if (!open_) {
    parser_->text.clear();
    parser_->ends.clear();
  }
  parser_->complete = false;
  parser_->parse(line);
  parser_->parse("\n");
  open_ = !parser_->complete;
  if (open_) return false;
  fields_.clear();
  std::size_t begin = 0;
  for (const std::size_t end : parser_->ends) {
    fields_.push_back(std::string_view(parser_->text).substr(begin, end - begin));
    begin = end;
  }
  return true;
}

}  // namespace quadgate
