/** Below `head` the chapters that were measured now, and the others as they were, in the order of `names`. */
export function withSections(
  head: string,
  document: string,
  names: readonly string[],
  measured: ReadonlyMap<string, string>,
): string {
  const chapters = names.flatMap((name) => {
    const text = measured.get(name) ?? sectionOf(document, name)
    return text === null ? [] : [`${opening(name)}\n${text}\n${closing(name)}`]
  })
  return `${[head, ...chapters].join('\n\n')}\n`
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
