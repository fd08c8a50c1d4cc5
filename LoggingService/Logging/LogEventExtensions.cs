using Serilog.Core;
using Serilog.Events;

namespace LoggingService.Logging;

/// <summary>What the sinks and formatters read from a log event.</summary>
internal static class LogEventExtensions
{
    /// <summary>The value of a property that is not a structure or a list; <c>null</c> without one.</summary>
    public static object? GetScalar(this LogEvent logEvent, string name) =>
        (logEvent.Properties.GetValueOrDefault(name) as ScalarValue)?.Value;

    public static bool IsFrom(this LogEvent logEvent, string source) =>
        logEvent.GetScalar(Constants.SourceContextPropertyName) is string context && context == source;

    /// <summary>One of <see cref="EventIds"/>; <c>null</c> for an event without an id.</summary>
    public static int? GetEventId(this LogEvent logEvent)
    {
        var properties = (logEvent.Properties.GetValueOrDefault("EventId") as StructureValue)?.Properties;
        return (properties?.FirstOrDefault(property => property.Name == "Id")?.Value as ScalarValue)?.Value as int?;
    }
}
