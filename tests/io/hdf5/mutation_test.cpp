// Sweeps: damaged versions of each kind of HDF5 file that quadgate reads: data sets (plain,
// compressed, as other programs write them), checkpoints without a checksum, weights, Keras files.
// 170 of each, 1,020 in all, as each costs a process, or as many as QUADGATE_HDF5_MUTATIONS says.

#include <hdf5.h>

#include <array>
#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "io/data/dataset.h"
#include "io/data/loader.h"
#include "io/files/checksum.h"
#include "io/hdf5/array_writer.h"
#include "io/hdf5/file.h"
#include "io/hdf5/file_writer.h"
#include "io/model/checkpoint.h"
#include "io/model/state_dict.h"
#include "io/prepare/dataset_writer.h"
#include "io/tensors/keras_file.h"
#include "io/tensors/tensor_file.h"
#include "tests/io/files.h"
#include "tests/io/mutations.h"

namespace quadgate {
namespace {

int files() { return static_cast<int>(testing::number_in("QUADGATE_HDF5_MUTATIONS", 170)); }

const ModelDescription kDamagedModel{.config = {.rnn = {.input_size = 3, .hidden_size = 4},
                                                .task = Task::classification,
                                                .output_size = 2},
                                     .data = {.feature_names = {"a", "b", "c"},
                                              .class_names = {"no", "yes"},
                                              .mean = {1, 2, 3},
                                              .std = {4, 5, 6},
                                              .window = {}}};

class Hdf5MutationTest : public testing::FolderTest {
 protected:
  /// Reads damaged versions of the file "whole.h5" with `read(path)`.
  template <typename Read>
  void survive(const Read& read, int count = files()) const {
    const auto read_bytes_as_file = [&](const testing::Bytes& bytes) {
      std::ofstream(path("damaged.h5"), std::ios::binary)
          .write(reinterpret_cast<const char*>(bytes.data()), std::ssize(bytes));
      read(path("damaged.h5"));
    };
    read(path("whole.h5"));
    testing::survive_mutations(read_bytes(path("whole.h5")), read_bytes_as_file, testing::mutate,
                               count);
  }

  /// As versions before the checksums wrote "whole.h5".
  void drop_checksum() const {
    const hid_t file = H5Fopen(path("whole.h5").c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    EXPECT_GE(H5Adelete(file, kChecksumAttribute), 0);
    H5Fclose(file);
    std::fstream(path("whole.h5"), std::ios::binary | std::ios::in | std::ios::out).put('\0');
  }
};

void read_all(const std::filesystem::path& path) {
  Dataset data(path);
  for (const std::string& name : data.split_names()) {
    Loader loader(data.split(name), 4, Shuffle{.seed = 1});
    Batch batch;
    while (loader.next(batch)) {
    }
  }
}

void write_sequences(const std::filesystem::path& path, hdf5::Storage storage) {
  auto file = hdf5::FileWriter::create_at(path, path);
  file.write_string("", "format", "quadgate-dataset");
  file.write_int("", "format_version", 1);
  file.write_string("", "task", "tagging");
  file.write_strings("", "class_names", std::vector<std::string>{"no", "yes"});
  file.create_group("train");
  const std::vector<std::int64_t> lengths{2, 1, 3, 4};
  std::vector<std::int64_t> offsets{0};
  for (const std::int64_t length : lengths) offsets.push_back(offsets.back() + length);
  hdf5::ArrayWriter<float> x(file, "train/x", {10, 3}, storage);
  x.append(testing::ramp(30));
  x.finish();
  hdf5::ArrayWriter<std::int64_t> ends(file, "train/offsets", {5}, storage);
  ends.append(offsets);
  ends.finish();
  hdf5::ArrayWriter<std::int64_t> y(file, "train/y", {10}, storage);
  for (std::int64_t i = 0; i < 10; ++i) y.append(i % 2);
  y.finish();
  file.close();
}

void write_attribute(hid_t object, const char* name, hid_t type, const void* value,
                     hsize_t count = 1) {
  const hid_t space = H5Screate_simple(1, &count, nullptr);
  const hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  H5Awrite(attribute, type, value);
  H5Aclose(attribute);
  H5Sclose(space);
}

template <std::size_t Rank>
void write_chunks(hid_t file, const char* name, hid_t type, const std::array<hsize_t, Rank>& shape,
                  const std::array<hsize_t, Rank>& chunk, hid_t memory_type, const void* values) {
  const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_chunk(creation, Rank, chunk.data());
  H5Pset_shuffle(creation);
  H5Pset_deflate(creation, 4);
  H5Pset_fletcher32(creation);
  const hid_t space = H5Screate_simple(Rank, shape.data(), nullptr);
  const hid_t dataset = H5Dcreate2(file, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  H5Dwrite(dataset, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
  H5Dclose(dataset);
  H5Sclose(space);
  H5Pclose(creation);
}

/// As h5py writes one by default: the oldest format, whose metadata have no checksums, texts of any
/// length, many small chunks.
void write_foreign(const std::filesystem::path& path) {
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hid_t text = H5Tcopy(H5T_C_S1);
  H5Tset_size(text, H5T_VARIABLE);
  const char* format = "quadgate-dataset";
  const char* task = "classification";
  const std::array<const char*, 2> classes{"no", "yes"};
  write_attribute(file, "format", text, &format);
  write_attribute(file, "task", text, &task);
  write_attribute(file, "class_names", text, classes.data(), classes.size());
  const hid_t group = H5Gcreate2(file, "train", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  const std::vector<float> x = testing::ramp(12 * 2 * 3);
  const std::vector<std::int64_t> y{0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1};
  write_chunks<3>(file, "train/x", H5T_IEEE_F32BE, {12, 2, 3}, {2, 2, 2}, H5T_NATIVE_FLOAT,
                  x.data());
  write_chunks<1>(file, "train/y", H5T_STD_I64LE, {12}, {5}, H5T_NATIVE_INT64, y.data());
  H5Gclose(group);
  H5Tclose(text);
  H5Fclose(file);
}

TEST_F(Hdf5MutationTest, DataSets) {
  write_sequences(path("whole.h5"), hdf5::Storage::contiguous);
  survive(read_all, files() / 3);
}

TEST_F(Hdf5MutationTest, CompressedDataSets) {
  write_sequences(path("whole.h5"), hdf5::Storage::gzip);
  survive(read_all, files() / 3);
}

TEST_F(Hdf5MutationTest, ForeignDataSets) {
  write_foreign(path("whole.h5"));
  survive(read_all, files() / 3);
}

TEST_F(Hdf5MutationTest, Checkpoints) {
  Parameters parameters(kDamagedModel.config);
  Optimizer optimizer({}, parameters.values().size());
  save_checkpoint(path("whole.h5"), kDamagedModel, parameters, optimizer, {.epoch = 1, .step = 2});
  drop_checksum();
  int turn = 0;
  survive([&](const std::filesystem::path& damaged) {
    const Checkpoint checkpoint(damaged);
    if (++turn % 2 == 0) return checkpoint.load_parameters(parameters);
    checkpoint.load_optimizer(parameters, optimizer);
    checkpoint.training_state();
  });
}

TEST_F(Hdf5MutationTest, Weights) {
  save_model(path("whole.h5"), kDamagedModel, Parameters(kDamagedModel.config));
  drop_checksum();
  survive([](const std::filesystem::path& damaged) { read_state_dict(damaged); });
}

TEST_F(Hdf5MutationTest, KerasFiles) {
  write_keras_file(path("whole.h5"), kDamagedModel.config, Parameters(kDamagedModel.config));
  survive([](const std::filesystem::path& damaged) { read_keras_file(damaged); });
}

}  // namespace
}  // namespace quadgate
