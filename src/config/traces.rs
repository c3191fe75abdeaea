//! Whether traces are to be sent, by the variables that every program with OpenTelemetry knows. The rest of them is read
//! by its own library.

/// Whether the environment names a receiver of traces, and does not turn them off.
pub fn wants_traces() -> bool {
    let has = |name: &str, fits: fn(&std::ffi::OsStr) -> bool| {
        std::env::vars_os().any(|(known, value)| known == name && fits(&value))
    };
    let is_given: fn(&std::ffi::OsStr) -> bool = |value| !value.is_empty();
    let is_off = has("OTEL_SDK_DISABLED", |value| value.eq_ignore_ascii_case("true"));
    let names = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];
    !is_off && names.into_iter().any(|name| has(name, is_given))
}
