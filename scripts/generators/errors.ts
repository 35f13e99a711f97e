import { readFileSync } from 'node:fs'
import type { GeneratedFile } from './generated-file.ts'

export type CatalogueEntry = { code: string; meaning: string; remedy: string }
export type CatalogueArea = { title: string; entries: CatalogueEntry[] }

/** Every stable code with its meaning and remedy, by area, from `errors/catalogue.txt`. */
export const errorFiles: GeneratedFile[] = [
  { path: 'docs/errors.md', content: () => renderCatalogue(readCatalogue()) },
]

export function readCatalogue(): CatalogueArea[] {
  return parseCatalogue(readFileSync(new URL('./errors/catalogue.txt', import.meta.url), 'utf8'))
}

export function parseCatalogue(text: string): CatalogueArea[] {
  const areas: CatalogueArea[] = []
  for (const line of text.split('\n').filter((one) => one !== '' && !one.startsWith('# '))) {
    if (line.startsWith('## ')) areas.push({ title: line.slice(3), entries: [] })
    else areas.at(-1)?.entries.push(entryOf(line))
  }
  return areas
}

function entryOf(line: string): CatalogueEntry {
  const [code, meaning, remedy, ...more] = line.split(' | ')
  if (code === undefined || meaning === undefined || remedy === undefined || more.length > 0)
    throw new Error(`The catalogue of errors has a line that is not "CODE | meaning | remedy": ${line}`)
  return { code, meaning, remedy }
}

const renderCatalogue = (areas: readonly CatalogueArea[]): string =>
  `${[INTRODUCTION, ...areas.map(renderArea)].join('\n\n')}\n`

function renderArea({ title, entries }: CatalogueArea): string {
  const rows = entries.map(({ code, meaning, remedy }) => `| \`${code}\` | ${meaning} | ${remedy} |`)
  return [`## ${title}`, '', '| code | meaning | what to do |', '|---|---|---|', ...rows].join('\n')
}

const INTRODUCTION = `<!-- Made by "npm run generate" from scripts/generators/errors/catalogue.txt. Do not edit. -->
# Codes

Every expected failure has a stable code, a message with the values, and a remedy.
Scripts may rely on codes; messages may change.
With \`--json\` and over the API a failure is \`{ "code", "message", "cause", "remedy", "retryable" }\`.
Exit codes are the same for every command: see the table of exit codes in the reference.`
