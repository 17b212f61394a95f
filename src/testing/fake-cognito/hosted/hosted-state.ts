import { AuthorizationCodes } from './authorization-codes.js'
import { LoginCookies } from './login-cookies.js'

/** What the hosted endpoints of a pool remember. */
export class HostedState {
  readonly codes: AuthorizationCodes
  readonly cookies: LoginCookies
  /** Where they are. */
  domain: string

  constructor(domain: string, now: () => number) {
    this.domain = domain
    this.codes = new AuthorizationCodes(now)
    this.cookies = new LoginCookies(now)
  }
}
