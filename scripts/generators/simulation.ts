import { readFileSync } from 'node:fs'
import * as z from 'zod'
import { schemaNodeOf } from '../../src/config/json-schema.ts'
import { ScriptFile } from '../../src/config/schema-script.ts'
import { renderSection, sectionsOf } from './configuration.ts'
import type { GeneratedFile } from './generated-file.ts'

/** The JSON Schema and the reference of what `sluice simulate` reads, from the zod schema that it uses itself. */
export const simulationFiles: GeneratedFile[] = [
  {
    path: 'schema/simulation.schema.json',
    content: () => `${JSON.stringify(schema(), null, 2)}
`,
  },
  { path: 'docs/reference/simulation.md', content: () => reference() },
]

const schema = (): object => ({
  title: 'sluice simulate: metrics',
  ...z.toJSONSchema(ScriptFile, { io: 'input', reused: 'inline' }),
})

const EXAMPLE = readFileSync(new URL('./simulation/example.yaml', import.meta.url), 'utf8').trimEnd()

const reference = (): string =>
  `${[
    INTRODUCTION,
    `\`\`\`yaml\n${EXAMPLE}\n\`\`\``,
    ...sectionsOf(schemaNodeOf(ScriptFile), '').map(renderSection),
  ].join('\n\n')}\n`

const INTRODUCTION = `<!-- Made by "npm run generate" from src/config. Do not edit. -->
# Metrics for sluice simulate

A file of YAML or JSON that says what users, instances and people do while a plan is carried out in virtual time.
Its JSON Schema is \`schema/simulation.schema.json\`. [How to use it](../how-to/simulate-a-plan.md).
Durations and shares are written as in [sluice.yaml](configuration.md#how-values-are-written).
An unknown key is an error with line, column and the nearest known key.`
