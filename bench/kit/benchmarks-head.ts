/** Of docs/benchmarks.md. */
export const BENCHMARKS_HEAD = `# Benchmarks
Written by \`npm run bench -- --write\`; do not edit.

The figures come from a shared machine with 2 cores, with other work running beside them.
So read the ratios first: they are taken inside one run, between programs that ran side by side.
Times and throughputs say what this machine did that day, not what yours will do.
Nothing here is asserted by a test. An aim stands beside its figure with "met" or "missed", also where Sluice loses.
A value is shown as min / median / max over all runs, or as p50 / p99 / max over all events; no run is left out.
A commit marked "dirty" was measured with changes that had not been committed yet, so it alone does not give the same program.`
