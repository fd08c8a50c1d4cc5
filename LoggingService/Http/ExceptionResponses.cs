using LoggingService.Logging;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Diagnostics;

namespace LoggingService.Http;

/// <summary>Maps an exception of a request to a Matrix error.</summary>
internal static partial class ExceptionResponses
{
    /// <summary>Writes the error. An internal failure is a 5xx, which the homeserver retries.</summary>
    public static Task WriteAsync(HttpContext context)
    {
        var logger = context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(ExceptionResponses).FullName!);
        return ToError(context.Features.Get<IExceptionHandlerFeature>()!.Error, logger).ExecuteAsync(context);
    }

    private static MatrixError ToError(Exception exception, ILogger logger)
    {
        switch (exception)
        {
            case MatrixException e:
                return e.Error;

            case BadHttpRequestException e:
                return MatrixResults.ForStatus(e.StatusCode);

            // The client disconnected; no one reads the response.
            case ConnectionResetException or OperationCanceledException:
                return MatrixResults.ForStatus(StatusCodes.Status400BadRequest);

            default:
                Log.RequestFailed(logger, exception);
                return MatrixResults.ForStatus(StatusCodes.Status500InternalServerError);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = EventIds.RequestFailed, Level = LogLevel.Error,
            Message = "A request failed unexpectedly. Please report this as a bug in LoggingService; the homeserver will retry.")]
        public static partial void RequestFailed(ILogger logger, Exception exception);
    }
}
