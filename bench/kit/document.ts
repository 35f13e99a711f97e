const HEAD = `# Benchmarks
Written by \`npm run bench -- --write\`; do not edit.

The figures come from a shared machine with 2 cores, with other work running beside them.
So read the ratios first: they are taken inside one run, between programs that ran side by side.
Times and throughputs say what this machine did that day, not what yours will do.
Nothing here is asserted by a test. An aim stands beside its figure with "met" or "missed", also where Sluice loses.
A value is shown as min / median / max over all runs, or as p50 / p99 / max over all events; no run is left out.
A commit marked "dirty" was measured with changes that had not been committed yet, so it alone does not give the same program.`

/** Replaces the chapters that were measured now and keeps the others, in the order of `names`. */
export function withSections(
  document: string,
  names: readonly string[],
  measured: ReadonlyMap<string, string>,
): string {
  const chapters = names.flatMap((name) => {
    const text = measured.get(name) ?? sectionOf(document, name)
    return text === null ? [] : [`${opening(name)}\n${text}\n${closing(name)}`]
  })
  return `${[HEAD, ...chapters].join('\n\n')}\n`
}

/** Replaces the chapter in a document that is written by hand otherwise; appends it when it is not there yet. */
export function withSection(document: string, name: string, text: string): string {
  const from = document.indexOf(opening(name))
  const to = document.indexOf(closing(name))
  const chapter = `${opening(name)}\n${text}\n${closing(name)}`
  if (from < 0 || to < from) return `${document.trimEnd()}\n\n${chapter}\n`.trimStart()
  return `${document.slice(0, from)}${chapter}${document.slice(to + closing(name).length)}`
}

function sectionOf(document: string, name: string): string | null {
  const from = document.indexOf(opening(name))
  const to = document.indexOf(closing(name))
  return from < 0 || to < from ? null : document.slice(from + opening(name).length + 1, to - 1)
}

const opening = (name: string): string => `<!-- bench ${name} -->`
const closing = (name: string): string => `<!-- end ${name} -->`
