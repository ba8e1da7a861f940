#pragma once

/// What a plug-in does with the MPI that it is linked with, in C: the plug-in is built once for
/// each MPI, and the program knows no MPI at all. All calls come from one thread. A function that
/// returns an int without another word returns 0, or an error of MPI's. A request is a number that
/// the caller chooses; a message is as long as the receiver expects.
struct QuadgateMpi {
  /// MPI_Init_thread with MPI_THREAD_FUNNELED.
  int (*init)(void);
  int (*rank)(void);
  int (*size)(void);
  int (*isend)(int request, int rank, int tag, const void* data, int bytes);
  int (*irecv)(int request, int rank, int tag, void* data, int bytes);
  /// Writes the requests that are done since the last call, and their number. `requests` has room
  /// for all that were begun. Does not wait.
  int (*testsome)(int* requests, int* count);
  /// Both write a text that ends with 0 and is cut to `size` bytes. The version is known before
  /// init.
  void (*error_text)(int error, char* text, int size);
  void (*version_text)(char* text, int size);
  /// May return, or end the process.
  void (*abort)(int exit_code);
  /// Gives up what is not done, and MPI_Finalize: waits for the other ranks.
  void (*finalize)(void);
};

/// The function of a plug-in that returns its table. Its number changes with the table, so that an
/// old plug-in is noticed.
#define QUADGATE_MPI_SYMBOL "quadgate_mpi_1"
