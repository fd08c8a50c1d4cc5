using LoggingService.Admin;
using LoggingService.Cli;
using LoggingService.Consent;
using LoggingService.Erasure;
using LoggingService.History;
using LoggingService.Homeserver;
using LoggingService.Http;
using LoggingService.Pages;
using LoggingService.Registration;
using LoggingService.RoomLogs;
using LoggingService.Rooms;
using LoggingService.Systemd;
using LoggingService.Transactions;
using Microsoft.Extensions.DependencyInjection.Extensions;

// An error is one line, and exit code 78 if it is in the configuration, otherwise 1.
try
{
    if (OperatingSystem.IsWindows())
    {
        throw new ConfigurationException("LoggingService runs on Linux and macOS. On Windows folders can't be named after room ids.");
    }

    return await CommandLine.RunAsync(args, Build);
}
catch (OperationCanceledException)
{
    // Stopped before the start was complete.
    return 0;
}
catch (Exception e) when (ErrorOutput.IsOneLine(e))
{
    return ErrorOutput.Write(e);
}

// Builds the service from settings such as --LoggingService:Logs=/var/log/matrix. One that only checks the connection creates nothing,
// and serves only the requests that belong to the check.
static WebApplication Build(string[] settings, bool serves)
{
    // The settings, and the registration that the homeserver has a copy of.
    var builder = SettingsSources.CreateBuilder(settings);
    var settingsAtStart = new SettingsAtStart(settings, builder.Configuration);
    var options = LoggingServiceOptions.Read(builder.Configuration);
    ListenAddress.CheckAll(builder.Configuration);
    builder.AddServiceLog(writesFile: serves);
    if (serves && !Path.Exists(options.Registration))
    {
        RegistrationGenerator.Write(options.Registration);
        StartupMessages.WriteNextSteps(options.Registration);
    }

    var registration = RegistrationReader.Read(options.Registration);
    builder.ConfigureWebServer(options, registration, isRequired: serves);

    builder.Services.AddSystemdNotifications();

    // What the routes use. Hosted services start in this order, and stop in the reverse one, after the web server.
    builder.Services.AddSingleton(TimeProvider.System).AddSingleton(options);
    builder.Services.AddSingleton(registration).AddSingleton<RegistrationTokens>();
    builder.AddAdmin();
    builder.Services.AddSingleton<RequestBodyLimit>().AddSingleton<Admission>().AddSingleton<TransactionEndpoint>();
    builder.Services.AddSingleton<LoggedRooms>().AddSingleton<RoomStates>().AddSingleton<StoppedRooms>().AddSingleton<RoomNotes>();
    builder.Services.AddSingleton<RoomCreator>().AddSingleton<CanonicalAlias>().AddSingleton<PendingRooms>();
    builder.Services.AddSingleton<RoomAliases>().AddSingleton<AliasSearch>().AddSingleton<AliasLookups>();
    builder.Services.AddRoomLife();
    builder.Services.AddSingleton<AliasChecks>().AddHostedService(services => services.GetRequiredService<AliasChecks>());
    builder.Services.AddRoomLogs(options).AddErasure().AddHomeserver(options).AddConsent().AddHistory();
    builder.AddPagesProcess(options);
    builder.Services.AddSingleton(settingsAtStart).AddSingleton<SettingsReload>();
    if (!serves)
    {
        // A check starts the web server only.
        builder.Services.RemoveAll<IHostedService>();
    }

    // The middleware: the path as it was sent, our errors as Matrix errors, the route, the homeserver's token.
    var app = builder.Build();
    app.UseMiddleware<RawPathMiddleware>();
    app.UseExceptionHandler(new ExceptionHandlerOptions { ExceptionHandler = ExceptionResponses.WriteAsync });
    app.UseStatusCodePages(context => MatrixResults.ForStatus(context.HttpContext.Response.StatusCode).ExecuteAsync(context.HttpContext));
    app.UseRouting();
    app.UseMiddleware<HomeserverAuthentication>();

    StartupMessages.LogWarnings(app, registration);

    app.MapPost("/_matrix/app/v1/ping", (HttpContext http, CheckRequests checks) => checks.ReceivePingAsync(http.Request));
    if (!serves)
    {
        // Only the check's requests: what is for the service must not be acknowledged.
        app.MapGet("/_matrix/app/v1/rooms/{**alias:required}", (string alias, CheckRequests checks) =>
            checks.TryReceiveAlias(RawPathMiddleware.Decode(alias)) ? MatrixResults.NotFound : MatrixResults.Unavailable);
        app.MapFallback(() => MatrixResults.Unavailable);
        return app;
    }

    // The routes, all of them for the homeserver only. The older ones have no prefix (Application Service API, "Legacy routes").
    foreach (var root in (string[])["/_matrix/app/v1", ""])
    {
        app.MapPut($"{root}/transactions/{{**id:required}}", (HttpContext http, string id, TransactionEndpoint transactions) =>
            transactions.ReceiveAsync(http.Request, id));
        app.MapGet($"{root}/rooms/{{**alias:required}}", async (string alias, RoomCreator rooms, CheckRequests checks) =>
        {
            var decoded = RawPathMiddleware.Decode(alias);
            return checks.TryReceiveAlias(decoded) ? MatrixResults.NotFound : await rooms.EnsureExistsAsync(decoded);
        });
        app.MapGet($"{root}/users/{{**userId:required}}", (string userId, ServiceUser user) =>
            user.Matches(RawPathMiddleware.Decode(userId)) ? MatrixResults.Ok : MatrixResults.NotFound);
    }

    app.MapGet("/_matrix/app/v1/thirdparty/{**what}", () => MatrixResults.NotFound);
    app.MapGet("/_matrix/app/unstable/thirdparty/{**what}", () => MatrixResults.NotFound);

    StartupMessages.Register(app, options, registration);
    return app;
}
