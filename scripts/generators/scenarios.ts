import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { GeneratedFile } from './generated-file.ts'
import { SCENARIOS, type Scenario } from './scenarios/catalogue.ts'

/** Which test proves which scenario: the ids stand in the titles of the tests. */
export const scenarioFiles: GeneratedFile[] = [{ path: 'docs/scenarios.md', content: index }]

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const TESTED_FOLDERS = ['src', 'test', 'scripts', 'bench', 'web/src']
/** Its titles are the examples that this index is tested with. */
const EXAMPLES = 'generators/scenarios.test.ts'
const TITLE = /\b(?:it|test|describe)(?:\.\w+)*?(?:\.each\(.{0,2000}?\))?\(\s*(['"`])((?:\\.|(?!\1).)*)\1/gs
const IDS = /\b(?:S\d{1,3}|INV\d{1,2})\b/g

/** A test that names a scenario in its title. */
export type Proof = { id: string; file: string; title: string }

export const proofsIn = (file: string, text: string): Proof[] =>
  [...text.matchAll(TITLE)].flatMap(([, , title = '']) =>
    [...new Set(title.match(IDS) ?? [])].map((id) => ({ id, file, title })),
  )

function index(): string {
  const proofs = TESTED_FOLDERS.flatMap(testFilesBelow).flatMap((file) =>
    proofsIn(file, readFileSync(join(ROOT, file), 'utf8')),
  )
  const rows = SCENARIOS.map(
    (scenario) => `| ${scenario.id} | ${scenario.text} | ${proofText(scenario, proofs)} |`,
  )
  const missing = SCENARIOS.filter(({ id }) => !proofs.some((proof) => proof.id === id))
  const covered = SCENARIOS.length - missing.length
  const sum = `${covered} of ${SCENARIOS.length} have a test that names them.`
  const rest = missing.length === 0 ? '' : `Without one: ${missing.map(({ id }) => id).join(', ')}.`
  return `${[INTRODUCTION, [sum, rest].filter((line) => line !== '').join('\n'), HEAD + rows.join('\n')].join('\n\n')}\n`
}

function proofText({ id, waits }: Scenario, proofs: readonly Proof[]): string {
  const files = [...new Set(proofs.filter((proof) => proof.id === id).map(({ file }) => file))].sort()
  if (files.length === 0) return waits === undefined ? '**no test names it**' : `waits: ${waits}`
  return files.map((file) => `[${file}](../${file})`).join('<br>')
}

function testFilesBelow(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.test\.tsx?$/.test(name) && !name.includes('node_modules') && name !== EXAMPLES)
    .map((name) => `${folder}/${name}`)
    .sort()
}

const INTRODUCTION = `<!-- Made by "npm run generate" from the titles of the tests. Do not edit. -->
# Scenarios and the tests that prove them

A scenario is a situation that a release engine must survive.
A test that covers one has its id in its title, so \`npx vitest run -t S79\` runs the tests of one scenario.
Invariants (INV) hold in every scenario: the simulator checks them after every effect.
"No test names it" means what it says: the behaviour may be there, but nothing here proves it.`

const HEAD = '| id | scenario | tests |\n|---|---|---|\n'
