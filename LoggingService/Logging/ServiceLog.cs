using LoggingService.Files;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Serilog;
using Serilog.Debugging;
using Serilog.Events;
using Serilog.Extensions.Logging;
using Serilog.Formatting;
using Serilog.Formatting.Compact;
using Serilog.Formatting.Display;
using Serilog.Sinks.File;

namespace LoggingService.Logging;

/// <summary>The service's own log: what an admin needs to know, without the framework's chatter.</summary>
internal static partial class ServiceLog
{
    /// <summary>The source of events that show the lines of rooms.</summary>
    public const string RoomActivitySource = "RoomActivity";

    public const string Host = "Microsoft.Extensions.Hosting.Internal.Host";

    private const string KestrelConnections = "Microsoft.AspNetCore.Server.Kestrel.Connections";

    private static readonly LogThrottle RefusedConnections = new(TimeProvider.System);
    private static readonly LogThrottle SinkFailures = new(TimeProvider.System);

    /// <summary>Whether standard output is a terminal that supports ANSI escape sequences.</summary>
    private static bool IsTerminal =>
        !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("TERM") is not (null or "" or "dumb");

    // https://no-color.org
    private static bool HasColours => IsTerminal && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));

    /// <summary>
    /// Adds Serilog as the only provider; levels are the framework's. A sink that hangs, such as a stopped terminal, does not
    /// block the service.
    /// </summary>
    /// <param name="writesFile">Otherwise only the console gets the log, and the folder of the file is checked but not created.</param>
    /// <exception cref="ConfigurationException">A setting of the log is invalid.</exception>
    public static void AddServiceLog(this WebApplicationBuilder builder, bool writesFile)
    {
        var options = ServiceLogOptions.Read(builder.Configuration);
        if (options.File is not null)
        {
            EnsureWritable(options, createsFolder: writesFile);
        }

        var levels = new LogLevels();
        levels.Replace(builder.Configuration);
        builder.Services.AddSingleton(levels);

        // The host's own levels are those of its configuration, which is read once.
        builder.Services.RemoveAll<IConfigureOptions<LoggerFilterOptions>>().RemoveAll<IOptionsChangeTokenSource<LoggerFilterOptions>>();
        builder.Logging.SetMinimumLevel(LogLevel.Information).AddConfiguration(levels.Section);
        builder.Logging.ClearProviders();

        // Not AddSerilog: its filter disables Logging:LogLevel. Factories: the container disposes of the logger, which flushes it.
        builder.Services.AddSingleton<Serilog.ILogger>(_ => CreateLogger(options, writesFile));
        builder.Services.AddSingleton<ILoggerProvider>(services =>
            new SerilogLoggerProvider(services.GetRequiredService<Serilog.ILogger>()));
    }

    /// <summary>Warns of settings for Serilog, which configured the log of earlier versions.</summary>
    public static void WarnOfSerilogSection(Microsoft.Extensions.Logging.ILogger logger, IConfiguration configuration)
    {
        if (configuration.GetSection("Serilog").Exists())
        {
            Log.SerilogSectionIgnored(logger);
        }
    }

    private static void EnsureWritable(ServiceLogOptions options, bool createsFolder)
    {
        var folder = Path.GetDirectoryName(options.File!)!;
        try
        {
            if (createsFolder)
            {
                Posix.CreateFolder(folder, withParents: true);
            }

            var existing = folder;
            while (!Path.Exists(existing) && Path.GetDirectoryName(existing) is { } parent)
            {
                existing = parent;
            }

            var probe = Path.Combine(existing, $".{Path.GetRandomFileName()}");
            Posix.OpenOrCreate(probe).Dispose();
            File.Delete(probe);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException($"{options.FileName}: {folder} is not writable: {e.Message}");
        }
    }

    private static Serilog.Core.Logger CreateLogger(ServiceLogOptions options, bool writesFile)
    {
        SelfLog.Enable(ReportSinkFailure);
        var logger = new LoggerConfiguration()
            .MinimumLevel.Verbose()
            .MinimumLevel.Override(RoomActivitySource, options.RoomActivity ?? IsTerminal ? LogEventLevel.Information : LogEventLevel.Fatal)

            // A stop during the start.
            .Filter.ByExcluding(logged => logged.IsFrom(Host) && logged.Exception is OperationCanceledException)

            // It quotes the request, and so perhaps a token.
            .Filter.ByExcluding(logged => logged.Exception is BadHttpRequestException)
            .Filter.ByExcluding(logged => IsRefusedConnection(logged) && !RefusedConnections.TryAcquire())
            .Enrich.With<SafePropertiesEnricher>();
        if (IsTerminal && !options.IsJson)
        {
            var sink = new StatusLineConsoleSink(Console.Out, new TerminalFormatter(HasColours), () => Console.WindowWidth);
            logger.WriteTo.Async(sinks => sinks.Sink(sink));
        }
        else
        {
            logger.WriteTo.Async(sinks => sinks.Console(CreateFormatter(options, "HH:mm:ss")));
        }

        if (writesFile && options.File is { } path)
        {
            logger.WriteTo.Async(sinks => sinks.File(
                CreateFormatter(options, "yyyy-MM-dd HH:mm:ss zzz"), path, fileSizeLimitBytes: null,
                rollingInterval: RollingInterval.Day, retainedFileCountLimit: 31, hooks: new FileMode0640()));
        }

        return logger.CreateLogger();
    }

    /// <summary>One line a minute, without the stack trace: a full disk would cause one for each message.</summary>
    private static void ReportSinkFailure(string message)
    {
        try
        {
            if (SinkFailures.TryAcquire())
            {
                var lines = message.Split('\n', StringSplitOptions.TrimEntries);
                Console.Error.WriteLine(string.Join(' ', lines.TakeWhile(line => !line.StartsWith("at ", StringComparison.Ordinal))));
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Standard error is full, too. The service goes on.
        }
    }

    private static ITextFormatter CreateFormatter(ServiceLogOptions options, string time) => options.IsJson
        ? new CompactJsonFormatter()
        : new MessageTemplateTextFormatter($"{{Timestamp:{time}}} {{Level:u3}} {{Message:lj}}{{NewLine}}{{Exception}}");

    private static bool IsRefusedConnection(LogEvent logged) => logged.Level == LogEventLevel.Warning && logged.IsFrom(KestrelConnections);

    private sealed class FileMode0640 : FileLifecycleHooks
    {
        public override Stream OnFileOpened(string path, Stream underlyingStream, System.Text.Encoding encoding)
        {
            File.SetUnixFileMode(path, Posix.LogFileMode);
            return underlyingStream;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.SerilogSectionIgnored, LogLevel.Warning,
            "The section Serilog of the settings is ignored, with its sinks. Remove it: Logging:LogLevel sets levels, ServiceLog:File "
                + "and ServiceLog:Format a log file, ServiceLog:RoomActivity the lines of rooms.")]
        public static partial void SerilogSectionIgnored(Microsoft.Extensions.Logging.ILogger logger);
    }
}
