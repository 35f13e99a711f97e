import type { ServiceSettings } from '../core/release/settings.ts'
import type { ConfigProblem } from './config-problem.ts'
import { type ExplainRow, explainSettings } from './explain.ts'
import { type LoadedConfig, loadConfig } from './load.ts'

const load = (text: string, environment: string) => loadConfig({ file: 'sluice.yaml', text, environment })

/** A file that must be right. */
export function loadedFrom(text: string, environment = 'local'): LoadedConfig {
  const found = load(text, environment)
  if (found.kind === 'failed') throw new Error(found.problem.map(({ message }) => message).join('\n'))
  return found.value
}

/** The settings of its first service. */
export function settingsIn(text: string, environment?: string): ServiceSettings {
  const [settings] = loadedFrom(text, environment).services
  if (settings === undefined) throw new Error('no service')
  return settings
}

/** What is wrong with a file; nothing when it is right. */
export function complaintsIn(text: string, environment = 'local'): ConfigProblem[] {
  const found = load(text, environment)
  return found.kind === 'failed' ? [...found.problem] : []
}

/** What `sluice explain` shows of it, in its order. */
export const rowsIn = (text: string, environment?: string): ExplainRow[] =>
  explainSettings(loadedFrom(text, environment))
