#!/usr/bin/env bash
# gcc 12.2: an aggregate within another one, in braces without its type's name, of whose members one
# has a constant initializer and others have not, is destroyed twice when an initializer behind it
# throws: the program frees its memory twice. With the name, Inner{...}, it is destroyed once; so it
# is by clang 14.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/twice.cpp" <<'CODE'
#include <cstdio>
#include <stdexcept>

int alive = 0;
struct Counted {
  Counted() { ++alive; }
  explicit Counted(int) { ++alive; }
  Counted(const Counted&) { ++alive; }
  ~Counted() { --alive; }
};
struct Inner {
  Counted counted{};
  bool flag = false;
};
struct Outer {
  Inner inner{};
  Counted last{};
};
Counted fail() { throw std::runtime_error("no last member"); }

template <typename Make>
int left(Make make) {
  alive = 0;
  try {
    make();
  } catch (const std::runtime_error&) {
  }
  return alive;
}

int main() {
  std::printf("unnamed %d\n", left([] { Outer o{.inner = {.counted = Counted(1)}, .last = fail()}; }));
  std::printf("told %d\n",
              left([] { Outer o{.inner = {.counted = Counted(1), .flag = true}, .last = fail()}; }));
  std::printf("named %d\n", left([] { Outer o{.inner = Inner{.counted = Counted(1)}, .last = fail()}; }));
}
CODE
"${CXX:-g++-12}" -std=c++20 -O1 "$folder/twice.cpp" -o "$folder/twice"
found=$("$folder/twice")
echo "$found"
[ "$found" = "unnamed -1
told -1
named 0" ]  # all should be 0
