import type * as z from 'zod'
import type { RiskSettings } from '../core/release/risk-settings.ts'
import type { LayeredReader } from './layers.ts'
import type { RiskSection } from './schema-risk.ts'
import { durationText } from './units.ts'

/** Only what was declared, each key from the highest layer that has it; nothing where nothing is. */
export function riskOf(reader: LayeredReader): { risk?: RiskSettings } {
  const key = <K extends keyof z.output<typeof RiskSection>>(name: K) =>
    reader.find(`risk.${name}`, ({ risk }) => risk?.[name])
  const all = {
    application: key('application'),
    downtimeMs: key('downtime'),
    users: key('users'),
    dependents: key('dependents'),
    criticality: key('criticality'),
    api: key('api'),
    schema: key('schema'),
    framework: key('framework'),
  }
  const declared = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
  return Object.keys(declared).length === 0 ? {} : { risk: declared }
}

/** What was declared, for `sluice explain`: path and value as in the file. */
export const riskValues = ({ downtimeMs, ...risk }: RiskSettings): [path: string, value: string][] => [
  ...Object.entries({
    ...risk,
    ...(downtimeMs === undefined ? {} : { downtime: durationText(downtimeMs) }),
  }).map(([name, value]): [string, string] => [
    `risk.${name}`,
    Array.isArray(value) ? `[${value.join(', ')}]` : String(value),
  ]),
]
