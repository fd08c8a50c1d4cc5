using System.Diagnostics;
using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace LoggingService.Admin;

/// <summary>
/// The result of health checks as JSON, for monitoring and for scripts: <c>status</c>, <c>version</c>, <c>started_at</c>, and by its name
/// each check with a <c>status</c>, a <c>reason</c> where it is not healthy, and figures. No text names a room.
/// </summary>
internal static class HealthResponse
{
    // The version contains a +.
    private static readonly JsonWriterOptions Options = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly string StartedAt = Format(ReadStartTime());

    private static readonly string Version =
        typeof(HealthResponse).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;

    public static async Task WriteAsync(HttpContext context, HealthReport report)
    {
        context.Response.ContentType = "application/json";
        await using var json = new Utf8JsonWriter(context.Response.BodyWriter, Options);
        json.WriteStartObject();
        json.WriteString("status", NameOf(report.Status));
        json.WriteString("version", Version);
        json.WriteString("started_at", StartedAt);
        json.WriteStartObject("checks");
        foreach (var (name, check) in report.Entries)
        {
            json.WriteStartObject(name);
            json.WriteString("status", NameOf(check.Status));
            if (check.Status != HealthStatus.Healthy && (check.Description ?? check.Exception?.Message) is { } reason)
            {
                json.WriteString("reason", reason);
            }

            foreach (var (key, value) in check.Data)
            {
                Write(json, key, value);
            }

            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static string NameOf(HealthStatus status) => status switch
    {
        HealthStatus.Healthy => "healthy",
        HealthStatus.Degraded => "degraded",
        _ => "unhealthy",
    };

    private static DateTimeOffset ReadStartTime()
    {
        using var process = Process.GetCurrentProcess();
        return process.StartTime.ToUniversalTime();
    }

    private static string Format(DateTimeOffset time) => time.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'");

    private static void Write(Utf8JsonWriter json, string key, object value)
    {
        switch (value)
        {
            case long number:
                json.WriteNumber(key, number);
                break;
            case double number:
                json.WriteNumber(key, Math.Round(number, 3));
                break;
            case DateTimeOffset time:
                json.WriteString(key, Format(time.ToUniversalTime()));
                break;
            default:
                json.WriteString(key, value.ToString());
                break;
        }
    }
}
