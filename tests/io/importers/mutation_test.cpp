// Sweeps: 10,000 damaged versions of a file of each kind. They are read, and then what was read
// belongs together, or refused with FileError, and take little memory either way.

#include <sys/resource.h>
#include <zip.h>
#include <zlib.h>

#include <array>
#include <map>
#include <numeric>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/importers/conllu.h"
#include "io/importers/csv.h"
#include "io/importers/idx.h"
#include "io/importers/npz.h"
#include "io/importers/plain_text.h"
#include "io/importers/ts.h"
#include "io/importers/tsf.h"
#include "io/tensors/zip.h"
#include "tests/io/files.h"
#include "tests/io/importers/npy.h"
#include "tests/io/mutations.h"
#include "tests/io/spools.h"

namespace quadgate {
namespace {

using testing::Bytes;
using testing::content_of;
using testing::mutate;
using testing::mutate_text;
using testing::npy;
using testing::values_of;
using Arrays = std::map<std::string, std::string>;

// A sanitizer keeps what is freed for a while.
constexpr bool kMemoryIsTold = !testing::kHasAddressSanitizer && !testing::kHasThreadSanitizer;

const std::string kTable =
    "date,site,\"a \"\"b\"\"\",c\n2016-07-01 00:00:00Z,s,1,2.5\n"
    "2016-07-01T01:00:00.5+02:00,t,-3,4e1\n1467331200,s,\"7\",\n02.07.2016 13:30Z,t,NA,+.5\n";
const std::string kGermanTable = "\xEF\xBB\xBF\"a,\";b\r\n1,5;2\r\n\"-1,25\";?\r\n\r\n3; 4 \r\n";

// Most memory of the process so far, in bytes.
std::int64_t peak_memory() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return std::int64_t{usage.ru_maxrss} * 1024;
}

void expect_whole(const LabelledSequences& data) {
  const std::vector<std::int64_t> lengths = values_of(data.lengths);
  const auto steps = std::reduce(lengths.begin(), lengths.end());
  EXPECT_EQ(data.x.size(), steps * data.input_size);
  if (data.task == Task::regression) {
    EXPECT_EQ(data.targets.size(), data.size() * data.output_size);
    return;
  }
  EXPECT_EQ(data.labels.size(), data.task == Task::tagging ? steps : data.size());
  for (const std::int64_t label : values_of(data.labels)) {
    EXPECT_LT(label, std::ssize(data.class_names));
  }
}

void expect_whole(const Series& series) {
  std::int64_t rows = 0;
  for (const SeriesPart& part : series.parts) rows += part.size();
  EXPECT_EQ(series.x.size(), rows * series.columns());
}

class MutationTest : public testing::FolderTest {
 protected:
  /// A new file each time: to write into the old one takes a disk longer.
  std::filesystem::path file(std::string_view name, std::string_view content) const {
    std::filesystem::remove(path(name));
    return FolderTest::file(name, content);
  }

  /// Calls read(content) with a file's content, whole and damaged.
  template <typename Read>
  void survive(const std::string& whole, const Read& read,
               Bytes (*damage)(Bytes, std::mt19937_64&)) const {
    constexpr std::int64_t kMostMemory = 100 << 20;  // names of 2^20 classes take the most
    const auto bytes = std::as_bytes(std::span<const char>(whole));
    EXPECT_NO_THROW(read(whole));
    const std::int64_t before = peak_memory();
    testing::survive_mutations(
        {bytes.begin(), bytes.end()},
        [&](const Bytes& damaged) {
          read(std::string(reinterpret_cast<const char*>(damaged.data()), damaged.size()));
        },
        damage);
    if (kMemoryIsTold) {
      EXPECT_LT(peak_memory() - before, kMostMemory);
    }
  }

  void read_csv(const std::string& content, const CsvOptions& options) const {
    CsvImporter importer(options, options_);
    importer.read(file("a", content));
    expect_whole(importer.take());
  }

  std::string gzipped(const std::string& content) const {
    const gzFile file = ::gzopen(path("z").c_str(), "wb");
    ::gzwrite(file, content.data(), static_cast<unsigned>(content.size()));
    ::gzclose(file);
    return content_of(path("z"));
  }

  static std::string stored(const Arrays& arrays) {
    std::map<std::string, std::span<const std::byte>> members;
    for (const auto& [name, bytes] : arrays) {
      members[name + ".npy"] = std::as_bytes(std::span<const char>(bytes));
    }
    const auto bytes = make_zip(members, "npz");
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  std::string deflated(const Arrays& arrays) const {
    zip_t* const archive = ::zip_open(path("z").c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
    for (const auto& [name, bytes] : arrays) {
      zip_source_t* const content = ::zip_source_buffer(archive, bytes.data(), bytes.size(), 0);
      ::zip_file_add(archive, (name + ".npy").c_str(), content, 0);  // deflates by default
    }
    EXPECT_EQ(::zip_close(archive), 0);
    return content_of(path("z"));
  }

  /// Damages the archive, stored and deflated, and the arrays in a stored one.
  template <typename Read>
  void survive_npz(const Arrays& arrays, const Read& read) const {
    survive(stored(arrays), read, mutate);
    survive(deflated(arrays), read, mutate);
    std::string joined;
    for (const auto& [name, bytes] : arrays) joined += bytes;
    survive(
        joined,
        [&](std::string content) {
          Arrays damaged;
          for (const auto& [name, bytes] : arrays) {
            damaged[name] = content.substr(0, content.find("\x93NUMPY", 1));
            content.erase(0, damaged[name].size());
          }
          read(stored(damaged));
        },
        mutate_text);
  }

  // Little memory to take for every file.
  const ImportOptions options_{.spool = {.output = path("out.h5")}, .buffer_size = 1 << 12};
};

TEST_F(MutationTest, Csv) {
  const CsvOptions grouped{.columns = {.group = "site"}, .missing = MissingPolicy::forward};
  survive(
      kTable,
      [&](const std::string& content) {
        try {
          read_csv(content, grouped);
        } catch (const InvalidArgument&) {  // that the column's name is not there
          throw FileError("no group");
        }
      },
      mutate_text);
}

TEST_F(MutationTest, GermanCsv) {
  const CsvOptions filled{.missing = MissingPolicy::mean};
  survive(
      kGermanTable, [&](const std::string& content) { read_csv(content, filled); }, mutate_text);
}

TEST_F(MutationTest, GzippedCsv) {
  const CsvOptions filled{.missing = MissingPolicy::drop};
  survive(
      gzipped(kGermanTable), [&](const std::string& content) { read_csv(content, filled); },
      mutate);
}

TEST_F(MutationTest, Ts) {
  survive(
      "# about\n@problemName Test\n@timeStamps false\n@classLabel true no yes\n\n@data\n"
      "1,2,3:4,5,6:yes\n7:8:no\n",
      [&](const std::string& content) {
        expect_whole(read_ts(file("a", content), MissingPolicy::forward, options_));
      },
      mutate_text);
}

TEST_F(MutationTest, TsWithTimes) {
  survive(
      "@timeStamps true\n@targetLabel true\n@data\n(1,2),(3,4):(1,6), (3,?):0.5\n(1,2):(1,4):1\n",
      [&](const std::string& content) {
        expect_whole(read_ts(file("a", content), MissingPolicy::drop, options_));
      },
      mutate_text);
}

TEST_F(MutationTest, Tsf) {
  survive(
      "@relation r\n@attribute name string\n@attribute start date\n@frequency 2_quarters\n@data\n"
      "A:1979-01-31 00-00-00:1,?,3\nB:1980-04-30:4\n",
      [&](const std::string& content) {
        expect_whole(read_tsf(file("a", content), MissingPolicy::forward, options_).series);
      },
      mutate_text);
}

TEST_F(MutationTest, Conllu) {
  const std::string rest = "\tNN\tCase=Nom\t0\troot\t_\tEntity=";
  const std::string sentences =
      "# global.Entity = eid-etype\n1-2\tvámonos\t_\t_" + rest + "\n1\tvamos\tir\tVERB" + rest +
      "(1-person(2-place\n2\tnos\tnos\tPRON" + rest + "2)1)\n2.1\tnos\t_\tPRON" + rest +
      "\n\n1\tmar\tmar\tNOUN" + rest + "(3-)\n";
  for (const ConlluSource& source : {ConlluSource{},
                                     {ConlluColumn::upos, TextLevel::characters},
                                     {ConlluColumn::lemma},
                                     {ConlluColumn::ner},
                                     {ConlluColumn::ner, TextLevel::characters}}) {
    survive(
        sentences,
        [&](const std::string& content) {
          WordList words;
          WordList classes;
          const auto data =
              read_conllu(std::array{file("a", content)}, source, words, classes, options_);
          EXPECT_EQ(data.tokens.size(), data.tags.size());
        },
        mutate_text);
  }
}

TEST_F(MutationTest, PlainText) {
  for (const TextLevel level : {TextLevel::words, TextLevel::characters}) {
    survive(
        "  No, 樹\t\tit\r\n\nwas\t𝄞. ß ",
        [&](const std::string& content) {
          WordList words;
          read_plain_text(std::array{file("a", content)}, level, words, options_);
        },
        mutate_text);
  }
}

TEST_F(MutationTest, Idx) {
  const std::string images("\0\0\x08\x03\0\0\0\x02\0\0\0\x03\0\0\0\x01\x00\x33\xff\x01\x02\x03",
                           22);
  const std::string labels("\0\0\x08\x01\0\0\0\x02\x02\x00", 10);
  const auto read = [&](const std::string& first, const std::string& second) {
    expect_whole(read_idx(file("a", first), file("b", second), options_));
  };
  survive(
      images, [&](const std::string& content) { read(content, labels); }, mutate);
  survive(
      labels, [&](const std::string& content) { read(images, content); }, mutate);
  survive(
      gzipped(images), [&](const std::string& content) { read(content, labels); }, mutate);
}

TEST_F(MutationTest, Npz) {
  survive_npz({{"x", npy<float>("<f4", "(3, 2)", {1, 2, 3, 4, 5, 6})},
               {"offsets", npy<std::int32_t>("<i4", "(3,)", {0, 1, 3})},
               {"y", npy<char32_t>("<U2", "(2,)", {'n', 0, 0xe4, 0x1f600})},
               {"feature_names", npy<char32_t>("<U1", "(2,)", {'a', 'b'})}},
              [&](const std::string& content) {
                expect_whole(read_npz(NpzFile(file("a", content)), "", options_));
              });
}

TEST_F(MutationTest, NpzOfNumbers) {
  survive_npz({{"x", npy<std::uint16_t>("<f2", "(2, 2, 1)", {0x3e00, 0, 0, 0xc000})},
               {"y", npy<std::int64_t>("<i8", "(2, 2)", {0, 1, 1, 0})}},
              [&](const std::string& content) {
                expect_whole(read_npz(NpzFile(file("a", content)), "", options_));
              });
}

TEST_F(MutationTest, NpzSeries) {
  survive_npz({{"x", npy<double>("<f8", "(2, 2)", {1, 2, 3, 4})},
               {"feature_names", npy<char32_t>("<U1", "(2,)", {'a', 'b'})}},
              [&](const std::string& content) {
                expect_whole(read_npz_series(NpzFile(file("a", content)), options_));
              });
}

}  // namespace
}  // namespace quadgate
