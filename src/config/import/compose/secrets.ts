import * as z from 'zod'
import { parseEnvFile } from '../../env-file.ts'
import type { ProjectFiles } from '../../init/project-files.ts'
import { VARIABLE_NAME } from '../../scalars.ts'
import { envNames } from '../env-names.ts'
import type { Keys } from './notes.ts'

const Grant = z.union([z.string(), z.object({ source: z.string(), target: z.string().optional() })])
const EnvFiles = z.union([
  z.string().transform((path) => [path]),
  z.array(z.union([z.string(), z.object({ path: z.string() }).transform(({ path }) => path)])),
])

/** Names of the secrets that Compose lays into the service as files. */
export function secretFilesOf(keys: Keys): string[] {
  const grants = keys.read('secrets', z.array(Grant)) ?? []
  return grants.flatMap((grant) => {
    const { source, target = source } = typeof grant === 'string' ? { source: grant } : grant
    const name = target.replace(/^\/run\/secrets\//, '')
    if (VARIABLE_NAME.test(name)) return name
    keys.leaveOut(
      'secrets',
      `The secret ${JSON.stringify(source)} would be ${JSON.stringify(target)} in the container. Here a secret is /run/secrets/<name>, and a name has letters, digits and underscores. Rename it.`,
    )
    return []
  })
}

export type EnvFiles = { files: string[]; secrets: string[] }

/** Files whose names all look harmless are named again; of the others only the names of secrets are taken. No value is kept. */
export function envFilesOf(keys: Keys, files: ProjectFiles): EnvFiles {
  const found: EnvFiles = { files: [], secrets: [] }
  for (const path of keys.read('env_file', EnvFiles) ?? []) {
    const text = files.read(path)
    if (text === null) {
      keys.leaveOut('env_file', `${JSON.stringify(path)} is not there, or is no text.`)
      continue
    }
    const names = envNames(text)
    if (names.secrets.length === 0 && parseEnvFile(path, text).problems.length === 0) found.files.push(path)
    else {
      found.secrets.push(...names.secrets)
      keys.leaveOut('env_file', whyNotNamed(path, names))
    }
  }
  return found
}

function whyNotNamed(path: string, { secrets, others }: ReturnType<typeof envNames>): string {
  const rest = others.length === 0 ? '' : ` Write the others under run.env: ${others.join(', ')}.`
  return secrets.length === 0
    ? `${JSON.stringify(path)} has lines that are read in different ways by different programs.${rest}`
    : `${JSON.stringify(path)} holds what looks like a secret (${secrets.join(', ')}), and the values of an envFile become part of a release. Their names stand under run.secrets.${rest}`
}
