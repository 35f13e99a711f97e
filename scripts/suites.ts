const MINUTE_MS = 60_000

/** The projects of vitest.config.ts by suite. `limitMs` is far above what a run takes: it ends a run that hangs. */
export const SUITES = {
  fast: { projects: ['unit', 'adapters', 'e2e'], limitMs: 40 * MINUTE_MS },
  full: { projects: ['unit', 'adapters', 'e2e', 'live', 'package', 'long'], limitMs: 90 * MINUTE_MS },
} as const

/** Adapters against what they are for, each with the conformance kit of its port: the live tests of the fast suite. */
export const ADAPTER_KITS = [
  'src/adapters/{http,metrics,notifiers,probers,targets,verifiers}/**/*.live.test.ts',
  'src/adapters/routers/{builtin/router,haproxy/haproxy,nginx/nginx}.live.test.ts',
  'src/adapters/stores/*/{place,store}.live.test.ts',
]
