/** A credential that cannot be used as it is. What it says has nothing of the secret. */
export class CredentialFault extends Error {
  override readonly name = 'CredentialFault';
}
