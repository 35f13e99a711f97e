import { describe, expect, it } from 'vitest'
import { problem } from '../../../core/shared/problem.ts'
import { imageProblem, saidOf } from './image-problem.ts'

const asked = { image: 'r.local/shop:1', registry: 'r.local' }

describe('what the engine says about an image', () => {
  // As engines from 20.10 to 28 and registries say it.
  it.each([
    ['toomanyrequests: You have reached your pull rate limit.', 'REGISTRY_BUSY'],
    ['received unexpected HTTP status: 429 Too Many Requests', 'REGISTRY_BUSY'],
    ['write /data/overlay2/x/layer.tar: no space left on device', 'IMAGE_STORE_FULL'],
    ['filesystem layer verification failed for digest sha256:ab', 'IMAGE_DIGEST_MISMATCH'],
    ['manifest verification failed for digest sha256:ab', 'IMAGE_DIGEST_MISMATCH'],
    ['no matching manifest for linux/riscv64 in the manifest list entries', 'IMAGE_WRONG_PLATFORM'],
    [
      'Get "https://r.local/v2/": dial tcp 127.0.0.1:443: connect: connection refused',
      'REGISTRY_UNREACHABLE',
    ],
    ['Get "https://r.local/v2/": dial tcp: lookup r.local: no such host', 'REGISTRY_UNREACHABLE'],
    ['Get "https://r.local/v2/": net/http: TLS handshake timeout', 'REGISTRY_UNREACHABLE'],
    ['Get "https://r.local/v2/": x509: certificate signed by unknown authority', 'REGISTRY_UNREACHABLE'],
    ['http: server gave HTTP response to HTTPS client', 'REGISTRY_UNREACHABLE'],
    ['received unexpected HTTP status: 503 Service Unavailable', 'REGISTRY_UNREACHABLE'],
    ['unauthorized: authentication required', 'REGISTRY_DENIED'],
    ['no basic auth credentials', 'REGISTRY_DENIED'],
    [
      "pull access denied for shop, repository does not exist or may require 'docker login'",
      'REGISTRY_DENIED',
    ],
    ['manifest unknown: manifest unknown', 'IMAGE_MISSING'],
    ['manifest for r.local/shop:1 not found: name unknown', 'IMAGE_MISSING'],
    ['something nobody has heard of', 'IMAGE_PULL_FAILED'],
    ['', 'IMAGE_PULL_FAILED'],
  ])('%s is %s', (said, code) => {
    expect(saidOf(asked, said)).toMatchObject({ code, message: expect.stringContaining('r.local') })
  })

  it('says when to try again where the registry does', () => {
    const remedyOf = (said: string) => saidOf(asked, said).remedy
    expect(remedyOf('toomanyrequests: retry-after: 30')).toContain('again in 30 s.')
    expect(remedyOf('429: try again in 5 minutes')).toContain('again in 5 minutes.')
    expect(remedyOf('429')).toContain('in a few minutes')
  })

  it('leaves the problems of the engine itself as they are', () => {
    const down = problem('DOCKER_UNREACHABLE', {
      message: 'gone',
      remedy: 'start it',
      cause: '404 not found',
    })
    expect(imageProblem(asked, down)).toBe(down)
    const refused = problem('DOCKER_FAILED', { message: 'x', remedy: 'y', cause: 'manifest unknown' })
    expect(imageProblem(asked, refused).code).toBe('IMAGE_MISSING')
  })
})
