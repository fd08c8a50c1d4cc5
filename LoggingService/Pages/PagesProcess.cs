using System.Diagnostics;
using LoggingService.Http;

namespace LoggingService.Pages;

/// <summary>
/// The web pages as a child process of the service, for trying them. It has no token, and less priority; whatever happens to it, the
/// service logs rooms.
/// </summary>
internal sealed partial class PagesProcess(
    ListenAddress address, LoggingServiceOptions options, IConfiguration configuration, ILogger<PagesProcess> logger) : BackgroundService
{
    public const string WithParentOption = "--with-parent";
    public const string ListeningMark = "Showing logs at ";

    private static readonly TimeSpan MinDelay = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxDelay = TimeSpan.FromMinutes(1);

    /// <summary>The service's own stop takes at most 10 s.</summary>
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(2);

    private readonly TaskCompletionSource<string> _url = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Where the pages listen, once they do.</summary>
    public Task<string> Url => _url.Task;

    /// <summary>In the child: stops when the parent has ended, however it did.</summary>
    public static void StopWithParent(IHostApplicationLifetime lifetime) => _ = Task.Run(async () =>
    {
        await Console.OpenStandardInput().CopyToAsync(Stream.Null);
        lifetime.StopApplication();
    });

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var delay = MinDelay;
        while (!stoppingToken.IsCancellationRequested)
        {
            var startedAt = Stopwatch.GetTimestamp();
            var exitCode = await RunAsync(stoppingToken);
            if (stoppingToken.IsCancellationRequested)
            {
                return;
            }

            delay = Stopwatch.GetElapsedTime(startedAt) > MaxDelay ? MinDelay : delay;
            Log.Ended(logger, exitCode, (int)delay.TotalSeconds);
            await Task.Delay(delay, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            delay = 2 * delay < MaxDelay ? 2 * delay : MaxDelay;
        }
    }

    /// <summary>Runs the process until it ends or the service stops, and returns its exit code.</summary>
    private async Task<int> RunAsync(CancellationToken stopping)
    {
        try
        {
            using var process = Process.Start(StartInfo())!;
            var output = Task.WhenAll(LogAsync(process.StandardOutput), LogAsync(process.StandardError));
            LowerPriority(process);
            await process.WaitForExitAsync(stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!process.HasExited)
            {
                process.StandardInput.Close();
                await process.WaitForExitAsync(CancellationToken.None).WaitAsync(StopTimeout, CancellationToken.None)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                process.Kill(entireProcessTree: true);
            }

            await process.WaitForExitAsync(CancellationToken.None);
            await output.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return process.ExitCode;
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or InvalidOperationException or IOException)
        {
            Log.NotStarted(logger, e.Message);
            return -1;
        }
    }

    private ProcessStartInfo StartInfo()
    {
        var program = Environment.ProcessPath ?? "";
        var isOwnProgram = Path.GetFileName(program) == nameof(LoggingService);
        var start = new ProcessStartInfo(isOwnProgram ? program : Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };

        // An ordinary build may run in another program, such as dotnet or a test.
        if (!isOwnProgram)
        {
            start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "LoggingService.dll"));
        }

        foreach (var argument in (string[])["pages", WithParentOption, "--logs", options.Logs, "--urls", address.Url])
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var (key, value) in configuration.GetSection("Pages").AsEnumerable())
        {
            if (value is not null && key != $"Pages:{nameof(PagesOptions.Urls)}")
            {
                start.ArgumentList.Add($"--{key}={value}");
            }
        }

        if (configuration[SettingsSources.MachineFileKey] is { } file)
        {
            start.Environment[SettingsSources.MachineFileKey.Replace(":", "__", StringComparison.Ordinal)] = file;
        }

        return start;
    }

    private static void LowerPriority(Process process)
    {
        try
        {
            process.PriorityClass = ProcessPriorityClass.BelowNormal;
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or InvalidOperationException)
        {
            // It has ended already.
        }
    }

    private async Task LogAsync(StreamReader output)
    {
        while (await output.ReadLineAsync() is { } line)
        {
            if (line.IndexOf(ListeningMark, StringComparison.Ordinal) is var mark and >= 0)
            {
                _url.TrySetResult(line[(mark + ListeningMark.Length)..].Split(", ")[0]);
            }

            if (line.Length > 0)
            {
                Log.Output(logger, line);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.PagesOutput, LogLevel.Information, "Pages: {Line}")]
        public static partial void Output(ILogger logger, string line);

        [LoggerMessage(EventIds.PagesEnded, LogLevel.Warning,
            "The process of the web pages ended with exit code {ExitCode}. Starting it again in {Seconds} s. Logging is not affected.")]
        public static partial void Ended(ILogger logger, int exitCode, int seconds);

        [LoggerMessage(EventIds.PagesNotStarted, LogLevel.Warning, "Failed to start the process of the web pages: {Reason}")]
        public static partial void NotStarted(ILogger logger, string reason);
    }
}

internal static class PagesProcessServices
{
    /// <summary>Adds the process of the web pages, if it is on.</summary>
    public static void AddPagesProcess(this WebApplicationBuilder builder, LoggingServiceOptions options)
    {
        if (ListenAddress.ReadPages(builder.Configuration) is { } address)
        {
            builder.Services.AddSingleton(services => new PagesProcess(
                address, options, builder.Configuration, services.GetRequiredService<ILogger<PagesProcess>>()));
            builder.Services.AddHostedService(services => services.GetRequiredService<PagesProcess>());
        }
    }
}
