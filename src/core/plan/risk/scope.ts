import type { ChangeFacts, Declared } from './change-facts.ts'
import { byGravity, type Finding, levelOf } from './level.ts'
import type { RiskFactor } from './risk.ts'

const PATHS_SHOWN = 3

/** What the release changes: code, configuration, infrastructure, and what the file names of API, schema and framework. */
export function scopeOfChange(facts: ChangeFacts | null): RiskFactor {
  const name = 'scope of change'
  if (facts === null)
    return {
      name,
      level: 'low',
      known: true,
      evidence: ['It is the first release: it changes nothing that runs.'],
    }
  const findings = findingsOf(facts)
  return {
    name,
    level: levelOf(findings),
    known: true,
    evidence: [...byGravity(findings), ...untoldText(facts.untold)],
  }
}

function findingsOf(facts: ChangeFacts): Finding[] {
  const { code, config, infrastructure, shrinks, declared, dirty } = facts
  const findings: Finding[] = [versionFinding(facts)]
  if (code && facts.versions.step === 'same')
    findings.push({ level: 'medium', text: 'The code changes, though the version is called the same.' })
  for (const { what, from, to } of declared)
    findings.push({ level: 'high', text: `${WORDS[what]} changes: ${from} → ${to}.` })
  if (shrinks.length > 0)
    findings.push({ level: 'medium', text: `Less infrastructure, or another address: ${some(shrinks)}.` })
  else if (infrastructure.length > 0)
    findings.push({ level: 'low', text: `Infrastructure grows: ${some(infrastructure)}.` })
  if (config.length > 0) findings.push({ level: 'low', text: `Configuration: ${some(config)}.` })
  if (dirty)
    findings.push({
      level: 'medium',
      text: 'It was made from a working tree with changes that are in no commit.',
    })
  return findings
}

function versionFinding({ versions, code }: ChangeFacts): Finding {
  const { from, to, step } = versions
  const change = `${from} → ${to}`
  const where = code ? 'the code changes' : 'the code is the same'
  switch (step) {
    case 'major':
      return { level: 'high', text: `${change} is a major version; ${where}.` }
    case 'minor':
      return { level: code ? 'medium' : 'low', text: `${change} is a minor version; ${where}.` }
    case 'patch':
      return { level: 'low', text: `${change} is a patch; ${where}.` }
    case 'same':
      return { level: 'low', text: `${change}: ${where}.` }
    case 'unknown':
      return {
        level: code ? 'medium' : 'low',
        text: `${change} does not tell by its number how much is new; ${where}.`,
      }
  }
}

const WORDS: Record<Declared, string> = {
  api: 'The interface that others use',
  schema: 'The schema of the data',
  framework: 'The framework',
}

function untoldText(untold: readonly Declared[]): string[] {
  if (untold.length === 0) return []
  const keys = untold.map((what) => `risk.${what}`).join(', ')
  return [`Not known: changes of ${untold.join(', ')}. ${keys} in the file would tell.`]
}

const some = (paths: readonly string[]): string =>
  paths.length <= PATHS_SHOWN
    ? paths.join(', ')
    : `${paths.slice(0, PATHS_SHOWN).join(', ')} and ${paths.length - PATHS_SHOWN} more`
