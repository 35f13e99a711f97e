const MINUTE_MS = 60_000

/** The projects of vitest.config.ts by suite. `limitMs` is far above what a run takes: it ends a run that hangs. */
export const SUITES = {
  fast: { projects: ['unit', 'adapters', 'e2e'], limitMs: 40 * MINUTE_MS },
  full: { projects: ['unit', 'adapters', 'e2e', 'live', 'package', 'long'], limitMs: 90 * MINUTE_MS },
} as const

/** The tests of adapters against what they are for that the fast suite has: the conformance kit of each port. */
export const ONE_PER_ADAPTER = [
  'src/adapters/{http,metrics,notifiers,probers,targets,verifiers}/**/*.live.test.ts',
  'src/adapters/routers/{builtin/router,haproxy/haproxy,nginx/nginx}.live.test.ts',
  'src/adapters/stores/*/{place,store}.live.test.ts',
]
