#include "data/partitions/dirichlet.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "nn/arithmetic.h"
#include "nn/random.h"

namespace anybit {
namespace {

constexpr double kLeastAlpha = 1e-6, kMostAlpha = 1e9;

// The draws of this partition, told apart by `layer` of their names.
enum Draw : std::uint32_t { kProportions = 1, kClassOrder = 2, kDonorOrder = 3 };

Stream stream_of(const Holdings& holdings, Draw what, std::uint32_t client, std::uint32_t label) {
  return Stream({.seed = holdings.seed,
                 .purpose = Purpose::kPartition,
                 .client = client,
                 .step = label,
                 .layer = static_cast<std::uint32_t>(what)});
}

/// log of a Gamma(alpha, 1) draw. For small alpha the draw itself underflows (0 / 0 after normalising), its log does
/// not: Gamma(a) = Gamma(a + 1) U^(1/a) (Marsaglia and Tsang 2000, section 6).
double log_gamma_draw(Stream& stream, double alpha) {
  if (alpha >= 1) return fixed_log(stream.gamma(alpha));
  const double larger = fixed_log(stream.gamma(alpha + 1));
  return larger + fixed_log(1.0 - stream.uniform()) / alpha;
}

/// Shares of one class, Dirichlet(alpha, ..., alpha) over the clients, up to a common factor: the largest is 1.
void draw_proportions(const Holdings& holdings, double alpha, std::uint32_t label, std::vector<double>& shares) {
  Stream stream = stream_of(holdings, kProportions, 0, label);
  double most = -HUGE_VAL;
  for (double& share : shares) {
    share = log_gamma_draw(stream, alpha);
    most = std::max(most, share);
  }
  for (double& share : shares) share = fixed_exp(share - most);
}

/// Gives the examples of one class, in order, to clients in proportion to their shares.
void give_class(const std::vector<std::uint32_t>& examples, const std::vector<double>& shares,
                std::vector<std::uint32_t>& owners) {
  double total = 0;
  for (const double share : shares) total += share;
  double sum = 0;
  std::size_t given = 0;
  for (std::size_t client = 0; client < shares.size(); ++client) {
    sum += shares[client];
    const bool last = client + 1 == shares.size();
    const auto end =
        last ? examples.size() : static_cast<std::size_t>(sum / total * static_cast<double>(examples.size()) + 0.5);
    for (; given < std::min(end, examples.size()); ++given)
      owners[examples[given]] = static_cast<std::uint32_t>(client);
  }
}

/// The owner of each available example, by position in `available`.
std::vector<std::uint32_t> draw_owners(const Holdings& holdings, double alpha) {
  std::vector<std::vector<std::uint32_t>> by_class(static_cast<std::size_t>(holdings.classes));
  for (std::uint32_t i = 0; i < holdings.available.size(); ++i)
    by_class[holdings.labels[holdings.available[i]]].push_back(i);

  std::vector<std::uint32_t> owners(holdings.available.size());
  std::vector<double> shares(holdings.clients);
  for (std::uint32_t label = 0; label < by_class.size(); ++label) {
    stream_of(holdings, kClassOrder, 0, label).shuffle(std::span(by_class[label]));
    draw_proportions(holdings, alpha, label, shares);
    give_class(by_class[label], shares, owners);
  }
  return owners;
}

/// Positions grouped by owner, in order: a counting sort.
Assignment group(const std::vector<std::uint32_t>& owners, std::uint32_t clients) {
  Assignment made;
  made.starts.assign(clients + std::size_t{1}, 0);
  for (const std::uint32_t owner : owners) ++made.starts[owner + std::size_t{1}];
  for (std::size_t client = 0; client < clients; ++client) made.starts[client + 1] += made.starts[client];
  std::vector<std::uint64_t> next(made.starts.begin(), made.starts.end() - 1);
  made.indices.resize(owners.size());
  for (std::uint32_t i = 0; i < owners.size(); ++i) made.indices[next[owners[i]]++] = i;
  return made;
}

std::uint64_t above(const Assignment& assignment, std::uint64_t level) {
  std::uint64_t sum = 0;
  for (std::uint32_t client = 0; client + std::size_t{1} < assignment.starts.size(); ++client)
    sum += assignment.size(client) - std::min(assignment.size(client), level);
  return sum;
}

/// The largest level such that clients cut down to it free at least `needed` examples.
std::uint64_t cut_level(const Assignment& assignment, std::uint64_t needed) {
  std::uint64_t low = 0, high = assignment.indices.size();
  while (low < high) {
    const std::uint64_t middle = low + (high - low + 1) / 2;
    if (above(assignment, middle) >= needed)
      low = middle;
    else
      high = middle - 1;
  }
  return low;
}

/// Clients below the minimum get random examples of those that hold most. Since the minimum times the clients does not
/// exceed the examples, nobody is cut down below the minimum.
void top_up(const Holdings& holdings, std::uint64_t minimum, std::vector<std::uint32_t>& owners) {
  Assignment held = group(owners, holdings.clients);
  std::uint64_t needed = 0;
  for (std::uint32_t client = 0; client < holdings.clients; ++client)
    needed += minimum - std::min(minimum, held.size(client));
  if (needed == 0) return;

  const std::uint64_t level = cut_level(held, needed);
  std::uint64_t at_level = needed - above(held, level + 1);  // how many donors go down to the level, not one above it
  std::vector<std::uint32_t> freed;
  for (std::uint32_t client = 0; client < holdings.clients; ++client) {
    if (held.size(client) <= level) continue;
    std::uint64_t gives = held.size(client) - level - 1;
    if (at_level > 0) ++gives, --at_level;
    const auto mine = std::span(held.indices).subspan(held.starts[client], held.size(client));
    stream_of(holdings, kDonorOrder, client, 0).shuffle(mine);
    freed.insert(freed.end(), mine.begin(), mine.begin() + static_cast<std::ptrdiff_t>(gives));
  }
  std::size_t next = 0;
  for (std::uint32_t client = 0; client < holdings.clients; ++client)
    for (std::uint64_t have = held.size(client); have < minimum; ++have) owners[freed[next++]] = client;
}

}  // namespace

Assignment deal_by_dirichlet(const Holdings& holdings, double alpha, std::uint64_t minimum) {
  std::vector<std::uint32_t> owners = draw_owners(holdings, alpha);
  top_up(holdings, minimum, owners);
  Assignment made = group(owners, holdings.clients);
  for (std::uint32_t& index : made.indices) index = holdings.available[index];
  return made;
}

std::vector<OptionRow> dirichlet_options() {
  return {{"alpha", 1.0, 0.1, "concentration: small is skewed, large is even"},
          {"minimum",
           std::int64_t{2},
           std::int64_t{10},
           "examples that each client has at least; the largest clients give theirs",
           {{"alpha", 0.01}}}};
}

Deal make_dirichlet_deal(const Options& options, Assignment (*deal)(const Holdings&, double, std::uint64_t)) {
  const double alpha = options.number("alpha");
  const std::int64_t minimum = options.integer("minimum");
  options.require(alpha >= kLeastAlpha && alpha <= kMostAlpha, "alpha",
                  fmt::format("must be {} to {}", kLeastAlpha, kMostAlpha));
  options.require(minimum >= 1, "minimum", "must be 1 or more: a client without examples cannot train");
  return [options, alpha, minimum, deal](const Holdings& holdings) {
    const std::uint64_t most = holdings.available.size() / holdings.clients;
    options.require(static_cast<std::uint64_t>(minimum) <= most, "minimum",
                    fmt::format("{} examples for each of {} clients are more than the {} there are; at most {}",
                                minimum, holdings.clients, holdings.available.size(), most));
    return deal(holdings, alpha, static_cast<std::uint64_t>(minimum));
  };
}

PartitionTable::Row dirichlet_row() {
  return {{"dirichlet",
           "label skew: each class is split over the clients by a Dirichlet draw of its own, so sizes differ too",
           "Yurochkin et al., Bayesian nonparametric federated learning of neural networks, 2019; the skew of Hsu, Qi "
           "and Brown, 2019, who draw per client instead",
           dirichlet_options()},
          [](const Options& options) { return make_dirichlet_deal(options, deal_by_dirichlet); }};
}

}  // namespace anybit
