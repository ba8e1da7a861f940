// The table of mpi_functions.h, on the C API of MPI 3.0 alone.

#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/mpi/mpi_functions.h"

struct Operation {
  int request;
  int expected;  // bytes to receive, -1 for a send
};

// The operations under way, in the order of their beginning. MPI wants its handles as an array.
static struct Operation* operations;
static MPI_Request* handles;
static int* finished;  // indices into both, of one call of MPI_Testsome
static MPI_Status* statuses;
static int under_way;
static int capacity;

static int wrong_length_expected;
static int wrong_length_found;
// Beside MPI's own errors, which are not negative.
enum { error_of_threads = -1, error_of_length = -2, error_of_memory = -3 };

// Makes room for one more operation.
static int reserve(void) {
  if (under_way < capacity) return 0;
  const int count = capacity == 0 ? 64 : 2 * capacity;
  struct Operation* more_operations = realloc(operations, (size_t)count * sizeof *operations);
  if (more_operations == NULL) return error_of_memory;
  operations = more_operations;
  MPI_Request* more_handles = realloc(handles, (size_t)count * sizeof(MPI_Request));
  if (more_handles == NULL) return error_of_memory;
  handles = more_handles;
  int* more_finished = realloc(finished, (size_t)count * sizeof *finished);
  if (more_finished == NULL) return error_of_memory;
  finished = more_finished;
  MPI_Status* more_statuses = realloc(statuses, (size_t)count * sizeof *statuses);
  if (more_statuses == NULL) return error_of_memory;
  statuses = more_statuses;
  capacity = count;
  return 0;
}

static int init(void) {
  int provided = MPI_THREAD_SINGLE;
  const int error = MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided);
  if (error != MPI_SUCCESS) return error;
  if (provided < MPI_THREAD_FUNNELED) return error_of_threads;
  return MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
}

static int rank(void) {
  int number = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &number);
  return number;
}

static int size(void) {
  int number = 0;
  MPI_Comm_size(MPI_COMM_WORLD, &number);
  return number;
}

static int begun(int error, int request, int expected) {
  if (error != MPI_SUCCESS) return error;
  operations[under_way].request = request;
  operations[under_way].expected = expected;
  ++under_way;
  return 0;
}

static int send(int request, int to, int tag, const void* data, int bytes) {
  const int error = reserve();
  if (error != 0) return error;
  return begun(MPI_Isend(data, bytes, MPI_BYTE, to, tag, MPI_COMM_WORLD, &handles[under_way]),
               request, -1);
}

static int receive(int request, int from, int tag, void* data, int bytes) {
  const int error = reserve();
  if (error != 0) return error;
  return begun(MPI_Irecv(data, bytes, MPI_BYTE, from, tag, MPI_COMM_WORLD, &handles[under_way]),
               request, bytes);
}

static int error_of(const struct Operation* operation, const MPI_Status* status) {
  if (operation->expected < 0) return 0;
  int bytes = 0;
  MPI_Get_count(status, MPI_BYTE, &bytes);
  if (bytes == operation->expected) return 0;
  wrong_length_expected = operation->expected;
  wrong_length_found = bytes;
  return error_of_length;
}

// Closes the gaps that finished operations left.
static void compact(void) {
  int kept = 0;
  for (int i = 0; i < under_way; ++i) {
    if (handles[i] == MPI_REQUEST_NULL) continue;
    handles[kept] = handles[i];
    operations[kept++] = operations[i];
  }
  under_way = kept;
}

static int test_some(int* requests, int* count) {
  *count = 0;
  if (under_way == 0) return 0;
  int found = 0;
  int error = MPI_Testsome(under_way, handles, &found, finished, statuses);
  if (error != MPI_SUCCESS && error != MPI_ERR_IN_STATUS) return error;
  const int each_has_one = error == MPI_ERR_IN_STATUS;
  error = 0;
  for (int i = 0; found != MPI_UNDEFINED && i < found; ++i) {
    const struct Operation* operation = &operations[finished[i]];
    requests[(*count)++] = operation->request;
    if (error != 0) continue;
    if (each_has_one) error = statuses[i].MPI_ERROR;
    if (error == 0) error = error_of(operation, &statuses[i]);
  }
  if (*count > 0) compact();
  return error;
}

static void cut(const char* from, char* text, int room) {
  snprintf(text, (size_t)room, "%s", from);
}

static void error_text(int error, char* text, int room) {
  char of_mpi[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  if (error == error_of_threads) {
    cut("MPI gives no MPI_THREAD_FUNNELED", text, room);
  } else if (error == error_of_length) {
    snprintf(text, (size_t)room, "a message of %d bytes came where %d were expected",
             wrong_length_found, wrong_length_expected);
  } else if (error == error_of_memory) {
    cut("out of memory", text, room);
  } else {
    MPI_Error_string(error, of_mpi, &length);
    cut(of_mpi, text, room);
  }
}

static void version_text(char* text, int room) {
  char of_mpi[MPI_MAX_LIBRARY_VERSION_STRING] = "";
  int length = 0;
  MPI_Get_library_version(of_mpi, &length);
  cut(of_mpi, text, room);
}

static void end_all(int exit_code) { MPI_Abort(MPI_COMM_WORLD, exit_code); }

static void finalize(void) {
  for (int i = 0; i < under_way; ++i) {
    if (operations[i].expected < 0) {
      MPI_Request_free(&handles[i]);
    } else {
      MPI_Cancel(&handles[i]);
      MPI_Wait(&handles[i], MPI_STATUS_IGNORE);
    }
  }
  under_way = 0;
  MPI_Finalize();
}

static const struct QuadgateMpi kFunctions = {
    .init = init,
    .rank = rank,
    .size = size,
    .isend = send,
    .irecv = receive,
    .testsome = test_some,
    .error_text = error_text,
    .version_text = version_text,
    .abort = end_all,
    .finalize = finalize,
};

__attribute__((visibility("default"))) const struct QuadgateMpi* quadgate_mpi_1(void) {
  return &kFunctions;
}
