# An objective as a Terraform resource. It needs Grafana Cloud, or the SLO app: Grafana's open-source server has neither, so this
# lab cannot apply it. There, use Sloth or Pyrra, keep the rule files in git, and let a pipeline check and copy them.
terraform {
  required_providers {
    grafana = {
      source  = "grafana/grafana"
      version = "~> 4.0"
    }
  }
}

resource "grafana_slo" "gateway_availability" {
  name        = "Gateway availability"
  description = "Requests that the gateway answers without a failure of its own."

  query {
    type = "ratio"
    ratio {
      success_metric  = "http_requests_total{job=\"gateway\", code!~\"5..\"}" # a counter: the app writes rate() around it
      total_metric    = "http_requests_total{job=\"gateway\"}"
      group_by_labels = ["route"]
    }
  }

  objectives {
    value  = 0.999 # a share; Sloth wants 99.9
    window = "30d"
  }

  destination_datasource { # required: where the recorded series go
    uid = "grafanacloud-prom"
  }

  label {
    key   = "team"
    value = "shop"
  }

  alerting {
    fastburn { # pages
      label {
        key   = "severity"
        value = "page"
      }
    }
    slowburn { # opens tickets
      label {
        key   = "severity"
        value = "ticket"
      }
    }
    advanced_options {
      min_failures = 5 # a night with ten requests pages nobody
    }
  }
}
