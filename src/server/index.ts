export type { ApiKeyOptions, ApiKeyRight } from './api-keys.js'
export { type ListenOptions, listenRevocationService, type RevocationServiceListener } from './listener.js'
export { RevocationService } from './revocation-service.js'
export type { RevocationServiceOptions } from './service-options.js'
