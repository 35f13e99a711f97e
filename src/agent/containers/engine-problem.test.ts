import { describe, expect, it } from 'vitest'
import { createEngine } from './engine.ts'
import { engineProblem, isEngineAway } from './engine-problem.ts'

const asked = { what: 'start container shop-1', where: '10.0.0.2:2376', certificates: '/certs' }
const coded = (code: string, message = 'as the library says it') =>
  Object.assign(new Error(message), { code })
const answered = (statusCode: number, message: string) =>
  Object.assign(new Error('(HTTP code)'), { statusCode, json: { message } })

describe('a call to the engine that failed', () => {
  it.each([
    ['nobody listens', coded('ECONNREFUSED'), 'DOCKER_UNREACHABLE'],
    ['no right to', coded('EACCES', 'connect EACCES /var/run/docker.sock'), 'DOCKER_UNREACHABLE'],
    [
      'two addresses were tried',
      Object.assign(new AggregateError([], ''), { code: 'ECONNREFUSED' }),
      'DOCKER_UNREACHABLE',
    ],
    ['no HTTP', coded('HPE_INVALID_CONSTANT'), 'DOCKER_UNREACHABLE'],
    ['another authority', coded('DEPTH_ZERO_SELF_SIGNED_CERT'), 'DOCKER_CERTIFICATE_UNTRUSTED'],
    ['expired', coded('CERT_HAS_EXPIRED'), 'DOCKER_CERTIFICATE_UNTRUSTED'],
    ['another name', coded('ERR_TLS_CERT_ALTNAME_INVALID'), 'DOCKER_CERTIFICATE_UNTRUSTED'],
    ['ours is refused', coded('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'), 'DOCKER_CERTIFICATE_REFUSED'],
    [
      'ours is refused, as OpenSSL 3.5 says it',
      coded('ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE'),
      'DOCKER_CERTIFICATE_REFUSED',
    ],
    ['no TLS there', coded('EPROTO', 'wrong version number'), 'DOCKER_TLS_MISMATCH'],
    [
      'a key of another certificate',
      coded('ERR_OSSL_X509_KEY_VALUES_MISMATCH'),
      'DOCKER_CERTIFICATE_UNREADABLE',
    ],
    ['TLS there', answered(400, 'Client sent an HTTP request to an HTTPS server.'), 'DOCKER_TLS_MISMATCH'],
    ['no such thing', answered(404, 'No such container: shop-1'), 'DOCKER_NOT_FOUND'],
    ['in the way', answered(409, 'is in use'), 'DOCKER_CONFLICT'],
    ['not accepted', answered(400, 'bad parameter'), 'DOCKER_REFUSED'],
    ['the engine itself', answered(500, 'no space left on device'), 'DOCKER_FAILED'],
  ])('is told with its cause and a remedy: %s', (_, error, code) => {
    const found = engineProblem(error, asked)
    expect(found).toMatchObject({
      code,
      cause: expect.stringMatching(/\S/),
      remedy: expect.stringMatching(/\S/),
    })
    expect(found?.message).not.toContain('undefined')
  })

  it('waits for an engine that is not there or not to be trusted, and not for one that said no', () => {
    const away = (error: Error) => {
      const found = engineProblem(error, asked)
      return found !== null && isEngineAway(found)
    }
    expect(['ECONNREFUSED', 'CERT_HAS_EXPIRED', 'EPROTO'].map((code) => away(coded(code)))).toEqual([
      true,
      true,
      true,
    ])
    expect(away(answered(404, 'x'))).toBe(false)
  })

  it('is a bug where neither a connection nor an answer made it, and is thrown on', async () => {
    const bugs = [new TypeError('x is not a function'), coded('ERR_INVALID_ARG_TYPE'), 'a text', undefined]
    expect(bugs.map((error) => engineProblem(error, asked))).toEqual([null, null, null, null])
    const engine = createEngine({ DOCKER_HOST: 'unix:///nowhere.sock' })
    const broken = engine.ask({ what: 'stumble' }, async () => {
      throw new TypeError('x is not a function')
    })
    await expect(broken).rejects.toThrow('x is not a function')
    const absent = await engine.ask({ what: 'look' }, (docker) => docker.version())
    expect(absent).toMatchObject({
      problem: { code: 'DOCKER_UNREACHABLE', cause: expect.stringContaining('ENOENT') },
    })
    const slow = await engine.ask({ what: 'wait', limitMs: 5 }, () => new Promise(() => {}))
    expect(slow).toMatchObject({ problem: { code: 'DOCKER_SLOW' } })
  })
})
