use ringback_cti_net::{ClientConfig, ClientControl};
use ringback_db::ServiceParameters;

use crate::service::OnParameters;

/// What puts the service parameters of the CTIManager interface in force at a running client: heartbeat interval, provider
/// open time-out, request time-out, connection retry time-out. `client` is the configuration that it was made with. For
/// [`Ports::on_parameters`](crate::Ports::on_parameters).
pub fn client_parameters(control: ClientControl, mut client: ClientConfig) -> OnParameters {
    Box::new(move |parameters: &ServiceParameters| {
        client.heartbeat = parameters.heartbeat_interval;
        client.open_timeout = parameters.provider_open_timeout;
        client.request_timeout = parameters.request_timeout;
        client.retry_limit = parameters.connection_retry_timeout;
        // The floors of the parameters keep every time above zero.
        let _invalid = control.configure(client.clone());
    })
}
