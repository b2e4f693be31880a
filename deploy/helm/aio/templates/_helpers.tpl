{{/* The names of everything: RELEASE if it says aio, else RELEASE-aio. */}}
{{- define "aio.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What selects the pods of a component. Call with (dict "root" $ "component" "server"). */}}
{{- define "aio.selector" -}}
app.kubernetes.io/name: aio
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "aio.labels" -}}
{{ include "aio.selector" . }}
app.kubernetes.io/part-of: aio
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
{{- end -}}

{{/* Begins every object's metadata. Call with (dict "root" $ "component" C "suffix" "-small"). */}}
{{- define "aio.metadata" -}}
name: {{ include "aio.name" .root }}{{ .suffix | default "" }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "aio.labels" . | nindent 2 }}
{{- end -}}

{{/* "yes" if this chart starts an engine for the role. Call with (dict "root" $ "role" "small"). */}}
{{- define "aio.starts-engine" -}}
{{- $model := index .root.Values.models .role -}}
{{- if and (has .root.Values.engine (list "vllm" "vllm-ascend")) (not $model.path) -}}yes{{- end -}}
{{- end -}}

{{- define "aio.starts-engines" -}}
{{- include "aio.starts-engine" (dict "root" . "role" "small") -}}
{{- include "aio.starts-engine" (dict "root" . "role" "large") -}}
{{- end -}}

{{/* Arguments of an engine that runs code of the model's repository: only of a commit that somebody has read.
Call with (dict "root" $ "role" "small"). */}}
{{- define "aio.remote-code" -}}
{{- $model := index .root.Values.models .role -}}
{{- $engine := ternary .root.Values.vllmAscend .root.Values.vllm (eq .root.Values.engine "vllm-ascend") -}}
{{- $key := printf "models.%s" .role -}}
{{- range concat $engine.args $model.args -}}
{{- if regexMatch "^--trust[-_]remote[-_]code" . -}}
{{- fail (printf "%s: --trust-remote-code stands among the arguments: set %s.trustRemoteCode and %s.revision instead" $key $key $key) -}}
{{- end -}}
{{- end -}}
{{- if and $model.trustRemoteCode (not $model.revision) (not (hasPrefix "/" $model.model)) -}}
{{- fail (printf "%s.revision: is empty, and %s.trustRemoteCode runs the code that %s has on Hugging Face: read it, and say of which commit it is (40 hexadecimal digits)" $key $key $model.model) -}}
{{- end -}}
{{- if $model.trustRemoteCode }}
- --trust-remote-code
{{- end }}
{{- with $model.revision }}
- --revision={{ . }}
- --tokenizer-revision={{ . }}
- --code-revision={{ $model.codeRevision | default . }}
{{- end }}
{{- end -}}

{{/* "yes" if the API server is asked for replicas. */}}
{{- define "aio.watches" -}}
{{- if and (include "aio.starts-engines" .) (eq .Values.discovery "kubernetes") -}}yes{{- end -}}
{{- end -}}

{{/* The ports of models.ROLE.urls, each once, as a list in JSON. */}}
{{- define "aio.external-ports" -}}
{{- $ports := list -}}
{{- range $role := list "small" "large" -}}
{{- range (index $.Values.models $role).urls -}}
{{- $url := urlParse . -}}
{{- $port := regexFind ":[0-9]+$" $url.host | trimPrefix ":" | default (ternary "443" "80" (eq $url.scheme "https")) -}}
{{- $ports = append $ports (int $port) -}}
{{- end -}}
{{- end -}}
{{- $ports | uniq | toJson -}}
{{- end -}}
