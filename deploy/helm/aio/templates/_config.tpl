{{/* A model of the configuration. Call with (dict "root" $ "role" "small"). A string in JSON is one in TOML. */}}
{{- define "aio.config-model" -}}
{{- $values := .root.Values -}}
{{- $model := index $values.models .role -}}
[models.{{ .role }}]
name = {{ $model.name | toRawJson }}
{{- with $model.extra }}
{{ . | trim }}
{{- end }}
{{- if $model.path }}
path = {{ $model.path | toRawJson }}
{{- else if eq $values.engine "none" }}
path = "/usr/share/aio/models/pocket-{{ .role }}-f16.gguf"
{{- else }}
engine = {{ ternary $model.profile $values.engine (eq $values.engine "external") | toRawJson }}
{{- with $model.servedName }}
served_name = {{ toRawJson . }}
{{- end }}
{{- with $model.contextLength }}
context_length = {{ int . }}
{{- end }}
{{- if $values.engineKeySecret }}
api_key_env = "AIO_ENGINE_KEY"
{{- end }}
affinity = {{ $model.affinity | toRawJson }}
{{- if eq $values.engine "external" }}
{{- if not $model.urls }}{{ fail (printf "models.%s.urls: engine: external needs at least one URL" .role) }}{{ end }}
{{- range $model.urls }}
[[models.{{ $.role }}.replicas]]
url = {{ toRawJson . }}
{{- with $model.strategy }}
strategy = {{ toRawJson . }}
{{- end }}
{{- end }}
{{- else }}
[models.{{ .role }}.discovery]
kind = {{ $values.discovery | toRawJson }}
{{- $service := printf "%s-%s" (include "aio.name" .root) .role }}
{{- if eq $values.discovery "kubernetes" }}
name = "http://{{ $service }}.{{ .root.Release.Namespace }}:8000"
{{- else }}
name = "http://{{ $service }}.{{ .root.Release.Namespace }}.svc:8000"
{{- end }}
interval_seconds = 5
{{- with $model.strategy }}
strategy = {{ toRawJson . }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "aio.config" -}}
{{- $embedded := or .Values.models.small.path (eq .Values.engine "none") -}}
version = 1

{{ include "aio.config-model" (dict "root" . "role" "small") }}

{{ include "aio.config-model" (dict "root" . "role" "large") }}

[server]
host = "0.0.0.0"
port = 8080
{{- if eq .Values.auth.kind "file" }}
keys_file = "/run/aio/keys.toml"
{{- end }}
{{- if .Values.limitsSecret.name }}
{{- if ne .Values.auth.kind "file" }}{{ fail "limitsSecret: limits are those of keys, so it needs auth.kind: file" }}{{ end }}
limits_url_env = "AIO_LIMITS_URL"
{{- end }}
{{- with .Values.config.server.extra }}
{{ . | trim }}
{{- end }}
{{- if .Values.tls.secret }}

[server.tls]
certificate = "/run/aio/tls.crt"
key = "/run/aio/tls.key"
{{- end }}
{{- if .Values.decisionLogSecret }}

[decision_log]
url_env = "AIO_LOG_URL"
{{- end }}

[probe]
{{- if and $embedded (eq .Values.engine "none") (not .Values.models.small.path) }}
suffix = "<|im_start|>intent\n"
{{- else }}
suffix = {{ .Values.config.probe.suffix | toRawJson }}
{{- end }}
labels = [
{{- range .Values.config.probe.labels }}
  { name = {{ .name | toRawJson }}, word = {{ .word | toRawJson }} },
{{- end }}
]
{{- with .Values.config.probe.extra }}
{{ . | trim }}
{{- end }}

[routing]
policy = "policy.toml"
{{- with .Values.config.extra }}

{{ . | trim }}
{{- end }}
{{- end -}}

{{- define "aio.policy" -}}
{{ .Values.config.policy | default (.Files.Get "files/policy.toml") | trim }}
{{- end -}}
