using System.IO.Compression;
using LoggingService.Files;
using LoggingService.Http;
using LoggingService.Search;
using LoggingService.Visibility;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.ResponseCompression;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace LoggingService.Pages;

/// <summary>The web server of the pages: a process of its own, without a token, that only reads the logs.</summary>
internal static partial class PagesHost
{
    /// <param name="builder">With the settings.</param>
    /// <param name="root">The log directory.</param>
    /// <exception cref="ConfigurationException">An address to listen on is invalid.</exception>
    public static WebApplication Build(WebApplicationBuilder builder, PagesOptions options, string root)
    {
        // The addresses of the service are not those of the pages, and its log file has one writer.
        var addresses = options.Urls.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(url => new ListenAddress(url, SettingReader.NameOf(builder.Configuration, "Pages:Urls")))
            .ToList();
        foreach (var address in addresses)
        {
            if (address.DescribeInvalid() is { } error)
            {
                throw new ConfigurationException($"{address.Setting} is \"{address.Url}\": {error}");
            }
        }

        builder.AddServiceLog(writesFile: false);
        builder.WebHost.UseUrls(options.Urls);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Configure(new ConfigurationBuilder().Build());
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = 0;

            // A reader that is slower holds the memory of its page too long.
            kestrel.Limits.MinResponseDataRate = new(bytesPerSecond: 4096, gracePeriod: TimeSpan.FromSeconds(10));
            kestrel.Limits.MaxConcurrentConnections = OpenFileLimit.ForConnections;
        });
        builder.Services.AddSingleton<IReadOnlyList<ListenAddress>>(addresses);
        builder.Services.AddSingleton(options).AddSingleton<Assets>().AddSingleton(new PageLinks(options.PathPrefix));
        builder.Services.AddSingleton(TimeZoneInfo.Local);
        builder.Services.AddSingleton(services => new VisibleRooms(root, services.GetRequiredService<ILogger<VisibleRooms>>()));
        builder.Services.AddHostedService<VisibleRoomsRefresh>();
        builder.Services.AddSingleton<RoomFile>().AddSingleton<LiveRendering>().AddSingleton<LiveRooms>();
        builder.Services.AddHostedService(services => services.GetRequiredService<LiveRooms>());
        builder.Services.TryAddSingleton(SearchLimits.Default);
        builder.Services.AddSingleton(new SearchIndex(root, TimeZoneInfo.Local)).AddSingleton<VisibleSearch>().AddSingleton<SearchPages>();
        builder.Services.AddSingleton(services => new IndexMaintenance(root, services.GetRequiredService<ILogger<IndexMaintenance>>()));
        builder.Services.AddHostedService(services => services.GetRequiredService<IndexMaintenance>());
        builder.Services.AddSingleton<PageRenderer>().AddSingleton<RoomPages>().AddSingleton<RoomDownloads>().AddSingleton<PageRoutes>();
        builder.Services.AddSingleton<PageWork>().AddSingleton<PageSending>().AddSingleton<PageTags>();
        builder.Services.AddResponseCompression(compression =>
        {
            // No page has a secret that its length could tell. Live lines are not compressed: each is sent at once.
            compression.EnableForHttps = true;
            compression.MimeTypes =
                ["text/html", "text/css", "text/javascript", "text/plain", "application/x-ndjson", "application/atom+xml"];
        });
        builder.Services.Configure<BrotliCompressionProviderOptions>(brotli => brotli.Level = CompressionLevel.Fastest);
        builder.Services.Configure<GzipCompressionProviderOptions>(gzip => gzip.Level = CompressionLevel.Fastest);
        builder.Services.AddRateLimiter(limiter => PageLimits.Configure(limiter));
        builder.Services.Configure<ForwardedHeadersOptions>(forwarded =>
        {
            forwarded.ForwardedHeaders =
                ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto | ForwardedHeaders.XForwardedHost;
            forwarded.ForwardLimit = options.Proxies.Count;
            forwarded.KnownProxies.Clear();
            forwarded.KnownIPNetworks.Clear();
            foreach (var proxy in options.Proxies)
            {
                forwarded.KnownProxies.Add(proxy);
            }
        });

        var app = builder.Build();
        app.UseForwardedHeaders();
        app.Use(PageHeaders.SetAsync);
        app.UseResponseCompression();
        app.Use(app.Services.GetRequiredService<PageSending>().SendAsync);
        app.UseRateLimiter();
        app.Use(app.Services.GetRequiredService<PageRoutes>().SendAssetAsync);
        app.Use(app.Services.GetRequiredService<PageWork>().LimitAsync);
        app.Run(app.Services.GetRequiredService<PageRoutes>().HandleAsync);
        return app;
    }

    public static void LogListening(WebApplication app) =>
        Log.Listening(
            app.Logger, string.Join(", ", app.Urls.Select(url => $"{url}{app.Services.GetRequiredService<PagesOptions>().PathPrefix}/")));

    private static partial class Log
    {
        // The parent process reads it.
        [LoggerMessage(EventIds.PagesListening, LogLevel.Information, PagesProcess.ListeningMark + "{Urls}")]
        public static partial void Listening(ILogger logger, string urls);
    }
}
