using LoggingService.Cli;
using LoggingService.Homeserver;
using LoggingService.Http;
using LoggingService.Registration;
using LoggingService.RoomLogs;
using LoggingService.Rooms;
using LoggingService.Transactions;

// An error in the configuration is one line, and exit code 1.
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
catch (ConfigurationException e)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}

// Builds the service from settings such as --LoggingService:Logs=/var/log/matrix. One that only checks the homeserver does not
// listen, and creates no registration.
static WebApplication Build(string[] settings, bool serves)
{
    // The settings, and the registration that the homeserver has a copy of.
    var builder = SettingsSources.CreateBuilder(settings);
    var options = LoggingServiceOptions.Read(builder.Configuration);
    builder.AddServiceLog();
    if (serves && !Path.Exists(options.Registration))
    {
        RegistrationGenerator.Write(options.Registration);
        Console.WriteLine(RegistrationGenerator.NextSteps(options.Registration));
    }

    var registration = RegistrationReader.Read(options.Registration);
    if (serves)
    {
        builder.ConfigureWebServer(options, registration);
    }

    // What the routes use. Hosted services start in this order, and stop in the reverse one, after the web server.
    builder.Services.AddSingleton(TimeProvider.System).AddSingleton(options).AddSingleton(registration);
    builder.Services.AddSingleton<RequestBodyLimit>().AddSingleton<Admission>().AddSingleton<TransactionEndpoint>();
    builder.Services.AddSingleton<LoggedRooms>().AddSingleton<RoomStates>().AddSingleton<StoppedRooms>();
    builder.Services.AddSingleton<RoomCreator>().AddSingleton<PendingRooms>();
    builder.Services.AddSingleton<RoomAliases>().AddSingleton<AliasLookups>();
    builder.Services.AddSingleton<AliasChecks>().AddHostedService(services => services.GetRequiredService<AliasChecks>());
    builder.Services.AddRoomLogs(options).AddHomeserver(options);

    // The middleware: the path as it was sent, our errors as Matrix errors, the route, the homeserver's token.
    var app = builder.Build();
    app.UseMiddleware<RawPathMiddleware>();
    app.UseExceptionHandler(new ExceptionHandlerOptions { ExceptionHandler = ExceptionResponses.WriteAsync });
    app.UseStatusCodePages(context => MatrixResults.ForStatus(context.HttpContext.Response.StatusCode).ExecuteAsync(context.HttpContext));
    app.UseRouting();
    app.UseMiddleware<HomeserverAuthentication>();

    // The routes, all of them for the homeserver only. The older ones have no prefix (Application Service API, "Legacy routes").
    foreach (var root in (string[])["/_matrix/app/v1", ""])
    {
        app.MapPut($"{root}/transactions/{{**id:required}}", (HttpContext http, string id, TransactionEndpoint transactions) =>
            transactions.ReceiveAsync(http.Request, id));
        app.MapGet($"{root}/rooms/{{**alias:required}}", (string alias, RoomCreator rooms) =>
            rooms.EnsureExistsAsync(RawPathMiddleware.Decode(alias)));
        app.MapGet($"{root}/users/{{**userId:required}}", (string userId, ServiceUser user) =>
            user.Matches(RawPathMiddleware.Decode(userId)) ? MatrixResults.Ok : MatrixResults.NotFound);
    }

    app.MapPost("/_matrix/app/v1/ping", () => MatrixResults.Ok);
    app.MapGet("/_matrix/app/v1/thirdparty/{**what}", () => MatrixResults.NotFound);
    app.MapGet("/_matrix/app/unstable/thirdparty/{**what}", () => MatrixResults.NotFound);

    if (serves)
    {
        ServiceLog.WarnOfSerilogSection(app.Logger, app.Configuration);
    }

    StartupMessages.Register(app, options, registration);
    return app;
}
