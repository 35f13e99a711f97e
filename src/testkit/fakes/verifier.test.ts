import type { VerifyCheck } from '../../core/shared/verification.ts'
import { verifierConformance } from '../conformance/verifier.ts'
import { createVerifierFake } from './verifier.ts'

const checkOf = (name: string): VerifyCheck => ({
  kind: 'command',
  name,
  moments: ['before'],
  timeoutMs: 60_000,
  command: ['true'],
  secrets: [],
})

verifierConformance('fake', async () => ({
  verifier: createVerifierFake((_, { name }) =>
    name === 'bad' ? 'fails' : name === 'long' ? 'lasts' : 'passes',
  ).verifier,
  url: 'http://127.0.0.1:1',
  checks: { passing: checkOf('good'), failing: checkOf('bad'), lasting: checkOf('long') },
  dispose: async () => undefined,
}))
