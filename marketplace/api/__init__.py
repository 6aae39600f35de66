"""Data delivered call by call: metering, service levels, evidence of calls. Who answers: marketplace.gateway."""
