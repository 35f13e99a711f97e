import { readFileSync } from 'node:fs'
import { fileJsonSchema, type SchemaNode, schemaNodeOf } from '../../src/config/json-schema.ts'
import { ManyFile, SingleFile } from '../../src/config/schema.ts'
import type { GeneratedFile } from './generated-file.ts'

/** The JSON Schema for editors and the reference of `sluice.yaml`, both from the zod schema of the file. */
export const configurationFiles: GeneratedFile[] = [
  { path: 'schema/sluice.schema.json', content: () => `${JSON.stringify(fileJsonSchema(), null, 2)}\n` },
  { path: 'docs/reference/configuration.md', content: reference },
]

const example = (name: string): string =>
  readFileSync(new URL(`./configuration/${name}.yaml`, import.meta.url), 'utf8').trimEnd()

function reference(): string {
  return `${[
    INTRODUCTION,
    '## The smallest file',
    yamlBlock(example('minimal')),
    'Everything else has a default that is fit for production.',
    '## Every key',
    'This file sets every key once.',
    yamlBlock(example('full')),
    ...sectionsOf(schemaNodeOf(SingleFile), '').map(renderSection),
    ENVIRONMENTS,
    '## Several services',
    'Instead of `service` and its keys, a file can hold `services`.',
    'Each entry has the keys of a service.',
    yamlBlock(example('several')),
    ...sectionsOf(schemaNodeOf(ManyFile), '')
      .slice(0, 1)
      .map((section) => renderTable(section.node)),
    VALUES,
  ].join('\n\n')}\n`
}

const yamlBlock = (text: string): string => `\`\`\`yaml\n${text}\n\`\`\``

export type Section = { path: string; node: SchemaNode }

/** One section per mapping, outer ones first. Environments repeat the keys of a service, so they have a text of their own. */
export function sectionsOf(node: SchemaNode, path: string): Section[] {
  const inner = Object.entries(node.properties ?? {})
    .filter(([name]) => name !== 'environments' && name !== 'services')
    .flatMap(([name, child]) => mappingsIn(child, path === '' ? name : `${path}.${name}`))
  return [{ path, node }, ...inner.flatMap((section) => sectionsOf(section.node, section.path))]
}

function mappingsIn(node: SchemaNode, path: string): Section[] {
  if (node.anyOf !== undefined) return node.anyOf.flatMap((one) => mappingsIn(one, path))
  if (node.items !== undefined) return mappingsIn(node.items, `${path}[]`)
  return node.properties === undefined ? [] : [{ path, node }]
}

export function renderSection({ path, node }: Section): string {
  const title = path === '' ? 'Top level' : `\`${path}\``
  return `### ${title}\n\n${renderTable(node)}`
}

function renderTable(node: SchemaNode): string {
  const rows = Object.entries(node.properties ?? {}).map(([name, child]) => {
    const isRequired = node.required?.includes(name) === true
    return `| \`${name}\` | ${typeText(child)} | ${isRequired ? 'required' : defaultText(child.default)} | ${cell(child.description ?? '')} |`
  })
  return ['| key | type | default | meaning |', '|---|---|---|---|', ...rows].join('\n')
}

function typeText(node: SchemaNode): string {
  if (node.title !== undefined) return cell(node.enum === undefined ? node.title : wordsText(node.enum))
  if (node.anyOf !== undefined) return [...new Set(node.anyOf.map(typeText))].join(' or ')
  if (node.const !== undefined) return wordsText([node.const])
  if (node.enum !== undefined) return wordsText(node.enum)
  if (node.items !== undefined) return 'list'
  return node.type === 'object' ? 'mapping' : String(node.type)
}

const wordsText = (words: readonly unknown[]): string => words.map((word) => `\`${word}\``).join(', ')

function defaultText(value: unknown): string {
  if (value === undefined) return ''
  return `\`${typeof value === 'object' ? JSON.stringify(value) : value}\``
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')

const INTRODUCTION = `<!-- Made by "npm run generate" from src/config. Do not edit. -->
# sluice.yaml

One file in the repository describes a service.
Every command reads \`./sluice.yaml\` or the file named with \`--config\`.
\`sluice explain\` prints every effective value and where it came from.
An unknown key is an error with line, column and the nearest known key.
The first line of a file may name the JSON Schema, so that editors complete and check it.`

const ENVIRONMENTS = `### \`environments\`

Each entry holds what differs there, with the same keys as the top level, all optional, and \`production\`.
The environment \`local\` is implied and takes the file as it stands.
A mapping is merged key by key, a list is replaced as a whole.
\`production: true\` marks production.
An environment named \`production\` or \`prod\` is always marked.
\`analysis: default\` takes the analysis back to the defaults.`

const VALUES = `## How values are written

- A duration has a unit: \`500ms\`, \`30s\`, \`10m\`, \`1h30m\`, \`2d\`.
- A share has a percent sign: \`5%\`, \`0.1%\`. Weights are exact to 0.1%.
- A command is one line or a list of words. No shell is used; ask for one by name: \`[sh, -c, "a && b"]\`.
- Variables and command words keep the text as written: \`1.10\` stays \`1.10\`.
- An env file has lines \`NAME=value\`, \`NAME='as it is'\` or \`NAME="with \\n"\`, and comments after \`#\`. Nothing in it is replaced.
- A secret is a name. Its value never stands in the file.
- Latency limits are bounds of the latency histogram, because only there the slower requests are counted exactly.`
