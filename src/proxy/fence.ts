import { failed, ok, type Result } from '../core/shared/result.ts'
import { staleToken, tokenReused } from '../core/shared/route-problems.ts'
import { compareTokens, type FencingToken } from '../core/shared/token.ts'

type Fenced = { service: string; token: FencingToken; repeats: boolean }

/** `new`: go on. A repeat has nothing to do; what is older, or the same token for something else, is refused. */
export function fence(
  highestTokens: Readonly<Record<string, FencingToken>>,
  { service, token, repeats }: Fenced,
): Result<void> | 'new' {
  const highest = highestTokens[service]
  if (highest === undefined) return 'new'
  const order = compareTokens(token, highest)
  if (order > 0) return 'new'
  if (order < 0) return failed(staleToken(service, token, highest))
  return repeats ? ok(undefined) : failed(tokenReused(service, token))
}
