using LoggingService.Rendering;
using LoggingService.RoomLogs;
using Serilog;
using Serilog.Configuration;
using Serilog.Core;
using Serilog.Debugging;
using Serilog.Events;
using Serilog.Templates;
using Serilog.Templates.Themes;

namespace LoggingService.Logging;

/// <summary>The service's own log: what an admin needs to know, and nothing of the framework's chatter.</summary>
internal static class ServiceLog
{
    // What a room said bears the time of its log.
    private const string IsRoom = "SourceContext = '" + RoomActivity.Source + "'";
    private const string OwnLine = "{@t:HH:mm:ss} {@l:u3} {@m}\n{@x}";

    // A message may be as long as a book; what is still waited for has a sign.
    private static readonly string TerminalLine =
        "{#if " + IsRoom + "}{Time:HH:mm:ss} {Alias} {#if Length(Line) > 500}{Substring(Line, 0, 500)}… (more in the log){#else}{Line}{#end}\n"
        + "{#else if place > 0}  {#if @l = 'Warning'}" + (HasColours ? "\e[0;33m✗\e[0m" : "✗") + "{#else if EventId.Id = 4}·{#else}✓{#end} {@m}\n"
        + "{#else}" + OwnLine + "{#end}";

    // The terminal's own colours, which its owner can read.
    private static readonly TemplateTheme Colours = new(new Dictionary<TemplateThemeStyle, string>
    {
        [TemplateThemeStyle.TertiaryText] = "\e[2m",
        [TemplateThemeStyle.LevelInformation] = "\e[2m",
        [TemplateThemeStyle.LevelWarning] = "\e[33m",
        [TemplateThemeStyle.LevelError] = "\e[31m",
        [TemplateThemeStyle.LevelFatal] = "\e[31m",
    });

    private static readonly LogThrottle TurnedAway = new(TimeProvider.System);

    /// <summary>Whether a person sits at the standard output, at a terminal that knows ANSI's escape sequences.</summary>
    private static bool IsTerminal => !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("TERM") is not (null or "" or "dumb");

    /// <summary>Whether that person wants colours. (https://no-color.org)</summary>
    private static bool HasColours => IsTerminal && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));

    /// <summary>
    /// Logs to the console; levels and further sinks are the configuration's, in the section <c>Serilog</c>. What the rooms
    /// say is shown on a terminal only: a system's journal doesn't get it unasked. A terminal that is stopped holds nothing up.
    /// </summary>
    /// <param name="services">The service's.</param>
    /// <param name="configuration">All that is configured.</param>
    public static IServiceCollection AddServiceLog(this IServiceCollection services, IConfiguration configuration)
    {
        // A sink that can't write says so.
        SelfLog.Enable(Console.Error);
        return services.AddSerilog(
            logger => logger
                .MinimumLevel.Override("Microsoft", LogEventLevel.Warning)
                .MinimumLevel.Override("Microsoft.AspNetCore.Diagnostics", LogEventLevel.Fatal)
                .MinimumLevel.Override("Microsoft.AspNetCore.Hosting.Diagnostics", LogEventLevel.Warning)
                .MinimumLevel.Override("Microsoft.Extensions.Hosting.Internal.Host", LogEventLevel.Fatal)
                .MinimumLevel.Override("Microsoft.Hosting.Lifetime", LogEventLevel.Warning)
                .MinimumLevel.Override("System.Net.Http", LogEventLevel.Warning)
                .MinimumLevel.Override(RoomActivity.Source, IsTerminal ? LogEventLevel.Information : LogEventLevel.Fatal)
                .Filter.ByExcluding(logged => logged.Exception is OperationCanceledException) // A service that is stopped before it has begun is no failure.
                .Filter.ByExcluding(logged => IsTurningAway(logged) && !TurnedAway.TryAcquire())
                .Filter.ByExcluding(logged => logged.Exception is BadHttpRequestException) // It quotes what came, which may be a token.
                .Enrich.With<SafePropertiesEnricher>()
                .WriteTo.Async(ToConsole)
                .ReadFrom.Configuration(configuration),
            preserveStaticLogger: true);
    }

    /// <summary>Whether the web server says that it hung up on somebody, because there are too many connections.</summary>
    private static bool IsTurningAway(LogEvent logged) =>
        logged.Level == LogEventLevel.Warning && logged.Properties.TryGetValue(Constants.SourceContextPropertyName, out var source)
        && source is ScalarValue { Value: "Microsoft.AspNetCore.Server.Kestrel.Connections" };

    private static void ToConsole(LoggerSinkConfiguration sinks)
    {
        if (IsTerminal)
        {
            sinks.Sink(new StatusLineConsoleSink(Console.Out, new ExpressionTemplate(TerminalLine, theme: HasColours ? Colours : null), () => Console.WindowWidth));
        }
        else
        {
            sinks.Console(new PlainConsoleFormatter());
        }
    }
}

/// <summary>
/// Makes what others chose safe in every line of the service's own log: an alias may hold line breaks and escape sequences,
/// and anybody can make the homeserver ask for one. Leaves out what a token may stand in.
/// </summary>
internal sealed class SafePropertiesEnricher : ILogEventEnricher
{
    /// <inheritdoc/>
    public void Enrich(LogEvent logEvent, ILogEventPropertyFactory propertyFactory)
    {
        foreach (var (name, value) in logEvent.Properties.ToArray())
        {
            if (name is "QueryString" or "Authorization")
            {
                // Where an admin asks for the words of the web server, or of HttpClient: older homeservers have the token in the query.
                logEvent.AddOrUpdateProperty(new LogEventProperty(name, new ScalarValue("…")));
                continue;
            }

            if (value is ScalarValue { Value: string text } && SafeText.Escape(text) is var safe && safe != text)
            {
                logEvent.AddOrUpdateProperty(new LogEventProperty(name, new ScalarValue(safe)));
            }
        }
    }
}
