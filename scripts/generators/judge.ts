import * as z from 'zod'
import { OUTPUT_SCHEMA_VERSION } from '../../src/cli/session.ts'
import { JudgeInput, JudgeOutput } from '../../src/core/analysis/sequential/judge-file.ts'
import type { GeneratedFile } from './generated-file.ts'

/** The JSON Schemas of what `sluice judge` reads and prints, from the schemas that it uses itself. */
export const judgeFiles: GeneratedFile[] = [
  {
    path: 'schema/judge-input.schema.json',
    content: () => text({ title: 'sluice judge: input', ...z.toJSONSchema(JudgeInput, { io: 'input' }) }),
  },
  {
    path: 'schema/judge-output.schema.json',
    content: () =>
      text({ title: 'sluice judge --json: output', ...z.toJSONSchema(Document, { io: 'input' }) }),
  },
]

const Document = z
  .object({ schemaVersion: z.literal(OUTPUT_SCHEMA_VERSION), type: z.literal('judgement') })
  .extend(JudgeOutput.shape)

const text = (schema: object): string => `${JSON.stringify(schema, null, 2)}\n`
