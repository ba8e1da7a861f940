// How much slower training is on data that are read from a file than on the same data in memory:
// whole epochs of a classification (forward, backward, clip 1.0, Adam), their shuffled batches
// gathered from rows in memory, or the same ones ready in each epoch, or read by a Loader from data
// sets in the page cache. A way's ratio is that of an epoch to one in memory right before or after.
// Usage: streaming_bench [--threads K] [--rounds R]

#include <fmt/format.h>
#include <hdf5.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <numeric>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/random.h"
#include "engine/model/batch_rows.h"
#include "engine/training/trainer.h"
#include "io/data/dataset.h"
#include "io/data/loader.h"
#include "io/hdf5/file.h"
#include "io/hdf5/file_writer.h"

namespace quadgate {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::int64_t kBatches = 64;
constexpr std::int64_t kClasses = 10;
constexpr std::int64_t kBuffer = 1024;  // rows

struct Shape {
  std::int64_t seq_len;
  std::int64_t batch;
  std::int64_t input_size;
  std::int64_t hidden_size;
  std::int64_t num_layers;
};

/// Waves with noise in steps of 1/256, as a sensor may give them.
std::vector<float> signal(std::int64_t first, std::int64_t count) {
  std::vector<float> values;
  for (std::int64_t i = first; i < first + count; ++i) {
    const auto noise = philox(1, {static_cast<std::uint32_t>(i), 0, 0, 0});
    const double value = std::sin(0.001 * static_cast<double>(i)) + to_unit_float(noise[0]) / 4;
    values.push_back(static_cast<float>(std::round(value * 256) / 256));
  }
  return values;
}

void write_dataset(const fs::path& path, const Shape& shape, std::int64_t first,
                   std::int64_t rows) {
  auto file = hdf5::FileWriter::create(path);
  file.write_string("", "format", "quadgate-dataset");
  file.write_string("", "task", "classification");
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < kClasses; ++i) names.push_back(fmt::format("{}", i));
  file.write_strings("", "class_names", names);
  file.create_group("train");
  const std::int64_t row_size = shape.seq_len * shape.input_size;
  file.write("train/x", std::vector{rows, shape.seq_len, shape.input_size},
             signal(first * row_size, rows * row_size));
  std::vector<std::int64_t> labels;
  for (std::int64_t row = first; row < first + rows; ++row) labels.push_back(row % kClasses);
  file.write("train/y", std::vector{rows}, labels);
  const auto image = file.image();
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(image.data()),
             static_cast<std::streamsize>(image.size()));
}

/// Stores train/x again, in chunks of about a mebibyte, shuffled and deflated.
void compress(const fs::path& path, const Shape& shape, std::int64_t rows) {
  const std::int64_t row_size = shape.seq_len * shape.input_size;
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  std::vector<float> values(static_cast<std::size_t>(rows * row_size));
  const hid_t plain = H5Dopen2(file, "train/x", H5P_DEFAULT);
  H5Dread(plain, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
  const hid_t space = H5Dget_space(plain);
  H5Dclose(plain);
  H5Ldelete(file, "train/x", H5P_DEFAULT);
  const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  const std::vector<hsize_t> chunk{static_cast<hsize_t>((1 << 18) / row_size),
                                   static_cast<hsize_t>(shape.seq_len),
                                   static_cast<hsize_t>(shape.input_size)};
  H5Pset_chunk(creation, 3, chunk.data());
  H5Pset_shuffle(creation);
  H5Pset_deflate(creation, 4);
  const hid_t packed =
      H5Dcreate2(file, "train/x", H5T_NATIVE_FLOAT, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  H5Dwrite(packed, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
  H5Dclose(packed);
  H5Pclose(creation);
  H5Sclose(space);
  H5Fclose(file);
}

/// A way to read, and what its epochs took.
struct Way {
  std::string name;
  std::function<double(std::uint32_t epoch)> run_epoch;  // the seconds that it waited for data
  std::vector<double> seconds{};
  std::vector<double> waited{};
  std::vector<double> ratios{};
};

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void time_epoch(Way& way, std::uint32_t epoch) {
  const auto start = Clock::now();
  const double waited = way.run_epoch(epoch);
  way.seconds.push_back(std::chrono::duration<double>(Clock::now() - start).count());
  way.waited.push_back(waited);
}

std::vector<Batch> all_batches(Split& split, std::int64_t batch_size) {
  Loader loader(split, batch_size, Shuffle{.seed = 1});
  std::vector<Batch> batches;
  for (Batch batch; loader.next(batch);) batches.push_back(batch);
  return batches;
}

/// A split in memory, whose rows each epoch takes in another order.
class Rows {
 public:
  explicit Rows(Split& split) : order_(static_cast<std::size_t>(split.size())) {
    std::iota(order_.begin(), order_.end(), 0);
    split.read(order_, all_);
  }

  void shuffle(std::uint32_t epoch) { std::ranges::shuffle(order_, std::minstd_rand(epoch)); }

  void gather(std::int64_t index, std::int64_t batch_size, Batch& batch) const {
    clear(batch);
    for (std::int64_t i = index * batch_size; i < (index + 1) * batch_size; ++i) {
      append_row(all_, order_[static_cast<std::size_t>(i)], batch);
    }
  }

 private:
  Batch all_;
  std::vector<std::int64_t> order_;
};

void measure(const Shape& shape, const fs::path& folder, int threads, std::uint32_t rounds) {
  const std::int64_t rows = kBatches * shape.batch;
  std::vector<fs::path> parts;
  for (std::int64_t part = 0; part < 4; ++part) {
    parts.push_back(folder / fmt::format("part{}.h5", part));
    write_dataset(parts.back(), shape, part * rows / 4, rows / 4);
  }
  write_dataset(folder / "plain.h5", shape, 0, rows);
  write_dataset(folder / "gzip.h5", shape, 0, rows);
  compress(folder / "gzip.h5", shape, rows);
  Dataset plain(folder / "plain.h5");
  Dataset gzip(folder / "gzip.h5");
  Dataset several(parts);
  const std::vector<Batch> batches = all_batches(plain.split("train"), shape.batch);
  Rows in_memory(plain.split("train"));

  ModelConfig config;
  config.task = Task::classification;
  config.output_size = kClasses;
  config.rnn.input_size = shape.input_size;
  config.rnn.hidden_size = shape.hidden_size;
  config.rnn.num_layers = shape.num_layers;
  Arena arena(threads);
  Network network(config, shape.seq_len, shape.batch, arena);
  network.parameters().initialize(1);
  Trainer trainer(network, {.lr = 1e-4, .clip_norm = 1.0}, 1);

  const auto from = [&](Dataset& data, std::int64_t buffer) {
    return [&, buffer](std::uint32_t epoch) {
      Loader loader(data.split("train"), shape.batch,
                    Shuffle{.seed = 1, .epoch = epoch, .buffer = buffer});
      for (Batch batch; loader.next(batch);) trainer.step(batch);
      return loader.waited_seconds();
    };
  };
  const auto from_memory = [&](std::uint32_t epoch) {
    in_memory.shuffle(epoch);
    Batch batch;
    for (std::int64_t i = 0; i < kBatches; ++i) {
      in_memory.gather(i, shape.batch, batch);
      trainer.step(batch);
    }
    return 0.0;
  };
  std::vector<Way> ways{{"in memory", from_memory},
                        {"in memory, once more", from_memory},
                        {"in memory, ready batches",
                         [&](std::uint32_t) {
                           for (const Batch& batch : batches) trainer.step(batch);
                           return 0.0;
                         }},
                        {"contiguous", from(plain, 0)},
                        {"contiguous, shuffle_buffer", from(plain, kBuffer)},
                        {"four files", from(several, 0)},
                        {"gzip, shuffle_buffer", from(gzip, kBuffer)}};
  Way& memory = ways[0];
  for (Way& way : ways) way.run_epoch(0);  // warms up
  for (std::uint32_t round = 0; round < rounds; ++round) {
    for (Way& way : std::span(ways).subspan(1)) {
      const bool is_memory_first = round % 2 == 0;
      if (is_memory_first) time_epoch(memory, round);
      time_epoch(way, round);
      if (!is_memory_first) time_epoch(memory, round);
      way.ratios.push_back(way.seconds.back() / memory.seconds.back());
    }
  }
  fmt::print("\n{} batches of T {}, N {}, I {}, H {}, {} layers; {:.0f} MB; gzip: {}\n\n", kBatches,
             shape.seq_len, shape.batch, shape.input_size, shape.hidden_size, shape.num_layers,
             1e-6 * static_cast<double>(fs::file_size(folder / "plain.h5")),
             hdf5::File::open(folder / "gzip.h5").array("train/x").storage_text());
  fmt::print("| data | epoch, ms | waited, ms | ratio |\n|---|---|---|---|\n");
  for (const Way& way : ways) {
    fmt::print("| {} | {:.1f} | {:.1f} | {} |\n", way.name, 1e3 * median(way.seconds),
               1e3 * median(way.waited),
               way.ratios.empty() ? "" : fmt::format("{:.3f}", median(way.ratios)));
  }
  std::fflush(stdout);
}

/// The number after `name` on the command line, or `usual`.
int number_after(std::span<const std::string_view> words, std::string_view name, int usual) {
  const auto found = std::ranges::find(words, name);
  if (found == words.end() || found + 1 == words.end()) return usual;
  std::from_chars((found + 1)->data(), (found + 1)->data() + (found + 1)->size(), usual);
  return usual;
}

}  // namespace
}  // namespace quadgate

int main(int argc, char** argv) {
  const std::vector<std::string_view> words(argv, argv + argc);
  const int threads = quadgate::number_after(words, "--threads", 2);
  const int rounds = quadgate::number_after(words, "--rounds", 9);
  std::string folder = (std::filesystem::temp_directory_path() / "streaming_XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) return 1;
  for (const quadgate::Shape& shape :
       {quadgate::Shape{50, 64, 32, 256, 2}, quadgate::Shape{35, 64, 32, 128, 2},
        quadgate::Shape{28, 128, 28, 128, 1}}) {
    quadgate::measure(shape, folder, threads, static_cast<std::uint32_t>(rounds));
  }
  std::filesystem::remove_all(folder);
}
