import type { Problem } from '../core/shared/problem.ts'
import { problem } from '../core/shared/problem.ts'
import { failed, ok, type Result } from '../core/shared/result.ts'
import type { Script } from '../core/simulation/script.ts'
import { parseConfigDocument } from './document.ts'
import { readFileText } from './file-text.ts'
import { problemsOfIssues } from './issues.ts'
import { schemaNodeOf } from './json-schema.ts'
import { ScriptFile, scriptOf } from './schema-script.ts'

/** Thousands of parts fit into this. */
const MAX_SCRIPT_BYTES = 1_048_576

/** Reads and checks a file of metrics in YAML or JSON. `shown` is its name in messages. */
export function loadScript(file: string, shown: string): Result<Script, Problem[]> {
  const found = readFileText(file, MAX_SCRIPT_BYTES)
  if (found.kind === 'text') return readScript(found.text, shown)
  const why =
    found.kind === 'missing'
      ? 'It does not exist.'
      : found.kind === 'too-large'
        ? `It has ${found.bytes} bytes, more than ${MAX_SCRIPT_BYTES}.`
        : found.kind === 'folder'
          ? 'It is a folder.'
          : found.kind === 'unreadable'
            ? `The system says ${found.code}.`
            : 'It is no regular file of UTF-8 text.'
  return failed([
    problem('SCRIPT_UNREADABLE', {
      message: `${shown} cannot be read.`,
      cause: why,
      remedy: 'Name a file of YAML or JSON with the metrics; `sluice simulate --help` says how to begin one.',
    }),
  ])
}

/** The same for text that is at hand. */
export function readScript(text: string, shown: string): Result<Script, Problem[]> {
  if (text.trim() === '' || text.includes('\0'))
    return failed([
      problem('SCRIPT_UNREADABLE', {
        message: `${shown} ${text.includes('\0') ? 'is a binary file' : 'is empty'}.`,
        remedy: 'Write at least: metrics: [{ from: 0s }]. That is a good release with 100 requests a second.',
      }),
    ])
  const document = parseConfigDocument(shown, text)
  if (document.kind === 'failed') return failed(document.problem)
  const parsed = ScriptFile.safeParse(document.value.value)
  if (parsed.success) return ok(scriptOf(parsed.data))
  const schema = schemaNodeOf(ScriptFile)
  return failed(problemsOfIssues(parsed.error.issues, { file: shown, document: document.value, schema }))
}
