using LoggingService.Rendering;
using Serilog.Core;
using Serilog.Events;

namespace LoggingService.Logging;

/// <summary>
/// Escapes text that strangers chose: an alias may hold line breaks and escape sequences, and anyone can make the homeserver
/// query one. Removes properties that may hold a token.
/// </summary>
internal sealed class SafePropertiesEnricher : ILogEventEnricher
{
    public void Enrich(LogEvent logEvent, ILogEventPropertyFactory propertyFactory)
    {
        foreach (var (name, value) in logEvent.Properties.ToArray())
        {
            if (name is "QueryString" or "Authorization")
            {
                // Kestrel and HttpClient log them at lower levels: older homeservers send the token in the query.
                logEvent.AddOrUpdateProperty(new LogEventProperty(name, new ScalarValue("…")));
            }
            else if (value is ScalarValue { Value: string text } && SafeText.Escape(text) is { } safe && safe != text)
            {
                logEvent.AddOrUpdateProperty(new LogEventProperty(name, new ScalarValue(safe)));
            }
        }
    }
}
