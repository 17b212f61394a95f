import { createUserPoolClient, describeUserPoolClient, updateUserPoolClient } from './app-client.js'
import {
  addUserPoolClientSecret,
  deleteUserPoolClientSecret,
  listUserPoolClientSecrets,
} from './client-secrets.js'
import { confirmDevice, forgetDevice } from './device.js'
import { adminGetUser, getUser } from './get-user.js'
import { adminInitiateAuth, initiateAuth } from './initiate-auth.js'
import { setUserMfaPreference } from './mfa-preference.js'
import type { Operation } from './operation.js'
import { getTokensFromRefreshToken } from './refresh.js'
import { adminRespondToAuthChallenge, respondToAuthChallenge } from './respond-to-auth-challenge.js'
import { revokeToken } from './revoke-token.js'
import { adminUserGlobalSignOut, globalSignOut } from './sign-out.js'
import { associateSoftwareToken, verifySoftwareToken } from './software-token.js'

/** Every operation that is played, by the name that it has in `X-Amz-Target`. */
export const operations: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  ['InitiateAuth', { needsCredentials: false, run: initiateAuth }],
  ['AdminInitiateAuth', { needsCredentials: true, run: adminInitiateAuth }],
  ['RespondToAuthChallenge', { needsCredentials: false, run: respondToAuthChallenge }],
  ['AdminRespondToAuthChallenge', { needsCredentials: true, run: adminRespondToAuthChallenge }],
  ['AssociateSoftwareToken', { needsCredentials: false, run: associateSoftwareToken }],
  ['VerifySoftwareToken', { needsCredentials: false, run: verifySoftwareToken }],
  ['SetUserMFAPreference', { needsCredentials: false, run: setUserMfaPreference }],
  ['ConfirmDevice', { needsCredentials: false, run: confirmDevice }],
  ['ForgetDevice', { needsCredentials: false, run: forgetDevice }],
  ['GetTokensFromRefreshToken', { needsCredentials: false, run: getTokensFromRefreshToken }],
  ['RevokeToken', { needsCredentials: false, run: revokeToken }],
  ['GlobalSignOut', { needsCredentials: false, run: globalSignOut }],
  ['AdminUserGlobalSignOut', { needsCredentials: true, run: adminUserGlobalSignOut }],
  ['GetUser', { needsCredentials: false, run: getUser }],
  ['AdminGetUser', { needsCredentials: true, run: adminGetUser }],
  ['DescribeUserPoolClient', { needsCredentials: true, run: describeUserPoolClient }],
  ['UpdateUserPoolClient', { needsCredentials: true, run: updateUserPoolClient }],
  ['CreateUserPoolClient', { needsCredentials: true, run: createUserPoolClient }],
  ['AddUserPoolClientSecret', { needsCredentials: true, run: addUserPoolClientSecret }],
  ['ListUserPoolClientSecrets', { needsCredentials: true, run: listUserPoolClientSecrets }],
  ['DeleteUserPoolClientSecret', { needsCredentials: true, run: deleteUserPoolClientSecret }],
])
