#pragma once

#include "wire/tls.h"

struct x509_st;  // OpenSSL's X509, by name alone

namespace anybit {

// How OpenSSL's many errors, and the alerts that cross the network, become a TlsFailure at both ends.

/// Of a certificate that does not hold: an error X509_V_ERR_*.
TlsFailure failure_of_verification(int error);

/// The error X509_V_ERR_* for which OpenSSL sends the peer the alert that failure_of_errors() there understands.
int verification_error_of(TlsFailure failure);

/// Of the errors that OpenSSL has queued on this thread.
TlsFailure failure_of_errors();

PeerIdentity identity_of(const x509_st* certificate);

}  // namespace anybit
