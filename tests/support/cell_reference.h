#pragma once

#include <array>
#include <cmath>
#include <complex>

namespace quadgate::testing {

// One hidden unit of each recurrent cell at one step, by the formulas of PyTorch's documentation,
// and its derivatives. T is double, or std::complex<double> for the complex-step derivative. `ih`
// is W_ih x + b_ih and `hh` is W_hh h + b_hh of the unit's gates, in PyTorch's order. A cell with
// fewer than four gates ignores the rest.

template <typename T>
struct UnitInputs {
  std::array<T, 4> ih{}, hh{};
  T h_prev{}, c_prev{};
};

template <typename T>
struct UnitStates {
  T h{}, c{};
};

template <typename T>
T sigmoid(const T& z) {
  return T(1) / (T(1) + std::exp(-z));
}

/// https://docs.pytorch.org/docs/2.13/generated/torch.nn.LSTM.html; gates i f g o.
template <typename T>
class LstmUnit {
 public:
  explicit LstmUnit(const UnitInputs<T>& in)
      : i_(sigmoid(in.ih[0] + in.hh[0])),
        f_(sigmoid(in.ih[1] + in.hh[1])),
        g_(std::tanh(in.ih[2] + in.hh[2])),
        o_(sigmoid(in.ih[3] + in.hh[3])),
        c_prev_(in.c_prev),
        c_(f_ * in.c_prev + i_ * g_) {}

  UnitStates<T> states() const { return {o_ * std::tanh(c_), c_}; }

  /// The derivatives of the inputs from those of the states.
  UnitInputs<T> backward(const UnitStates<T>& d) const {
    const T tanh_c = std::tanh(c_);
    const T dc = d.c + d.h * o_ * (T(1) - tanh_c * tanh_c);
    const std::array<T, 4> gates{dc * g_ * i_ * (T(1) - i_), dc * c_prev_ * f_ * (T(1) - f_),
                                 dc * i_ * (T(1) - g_ * g_), d.h * tanh_c * o_ * (T(1) - o_)};
    return {gates, gates, T(0), dc * f_};
  }

 private:
  T i_, f_, g_, o_, c_prev_, c_;
};

/// https://docs.pytorch.org/docs/2.13/generated/torch.nn.GRU.html; gates r z n.
template <typename T>
class GruUnit {
 public:
  explicit GruUnit(const UnitInputs<T>& in)
      : r_(sigmoid(in.ih[0] + in.hh[0])),
        z_(sigmoid(in.ih[1] + in.hh[1])),
        hidden_n_(in.hh[2]),
        n_(std::tanh(in.ih[2] + r_ * in.hh[2])),
        h_prev_(in.h_prev) {}

  UnitStates<T> states() const { return {(T(1) - z_) * n_ + z_ * h_prev_, T(0)}; }

  /// The derivatives of the inputs from those of the states.
  UnitInputs<T> backward(const UnitStates<T>& d) const {
    const T dn = d.h * (T(1) - z_) * (T(1) - n_ * n_);
    const T dr = dn * hidden_n_ * r_ * (T(1) - r_);
    const T dz = d.h * (h_prev_ - n_) * z_ * (T(1) - z_);
    return {{dr, dz, dn}, {dr, dz, dn * r_}, d.h * z_, T(0)};
  }

 private:
  T r_, z_, hidden_n_, n_, h_prev_;
};

/// https://docs.pytorch.org/docs/2.13/generated/torch.nn.RNN.html with nonlinearity tanh or relu.
template <typename T>
class RnnUnit {
 public:
  RnnUnit(const UnitInputs<T>& in, bool relu) : relu_(relu), a_(in.ih[0] + in.hh[0]) {}

  UnitStates<T> states() const {
    if (relu_) return {std::real(a_) > 0 ? a_ : T(0), T(0)};
    return {std::tanh(a_), T(0)};
  }

  /// The derivatives of the inputs from those of the states.
  UnitInputs<T> backward(const UnitStates<T>& d) const {
    const T h = states().h;
    const T slope = relu_ ? T(std::real(a_) > 0 ? 1 : 0) : T(1) - h * h;
    return {{d.h * slope}, {d.h * slope}, T(0), T(0)};
  }

 private:
  bool relu_;
  T a_;
};

}  // namespace quadgate::testing
